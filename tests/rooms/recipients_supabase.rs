//! Supabase's own protocol, against a stand-in that complains of whatever the real one would refuse.

use chrono::TimeDelta;
use serde_json::Value;
use vouchsafe::egress::CallLog;
use vouchsafe::fakes::{At, Fault};
use vouchsafe::recipients::{Correction, Erased, Memory, Proof, Recipient, RecipientError, Supabase};

use crate::support::elsewhere::{BUCKET, There};

fn at(supabase: Supabase) -> Recipient {
    Recipient::Supabase(Box::new(supabase))
}

const ADA: &str = "ada-canary@example.org";

/// Somebody with files in folders of folders, in a project with somebody else in it.
fn people(there: &There) -> (String, String) {
    let (ada, eve) = (there.supabase.add_user(ADA), there.supabase.add_user("eve@example.org"));
    for path in ["face.png", "deep/er/still.png", "deep/other.png"] {
        there.supabase.add_file(BUCKET, &format!("{ada}/{path}"));
    }
    there.supabase.add_file(BUCKET, &format!("{eve}/face.png"));
    (ada, eve)
}

/// As many turns as it takes, while it says that there is more to do.
async fn erase(supabase: &Recipient, user: &str, memory: &mut Memory) -> Result<Erased, RecipientError> {
    loop {
        match supabase.erase(user, memory, &CallLog::new()).await {
            Ok(Erased::Waiting { .. }) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_user_is_shown_with_identities_log_and_files_and_without_anybody_else() {
    let there = There::start().await;
    let (ada, eve) = people(&there);
    for _ in 0..1100 {
        there.supabase.add_user("crowd@example.org");
    }
    let export = at(there.supabase_client(|_| {})).export(&ada, &CallLog::new()).await.unwrap();
    let names: Vec<&str> = export.tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["user", "identities", "log", "files"]);
    let table = |name: &str| export.tables.iter().find(|t| t.name == name).unwrap().rows.clone();
    assert_eq!((table("log").len(), table("files").len()), (2, 3), "every page of the log was read");
    assert!(table("files").iter().any(|f| f["path"].as_str().unwrap().ends_with("deep/er/still.png")));
    let text = serde_json::to_string(&export).unwrap();
    assert!(text.contains(ADA) && !text.contains("eve@") && !text.contains(&eve));
    there.is_content();
}

#[tokio::test]
async fn an_address_that_nobody_confirmed_is_not_called_confirmed() {
    let there = There::start().await;
    let (ada, _) = people(&there);
    let supabase = at(there.supabase_client(|_| {}));
    let mut new = Correction {
        email: "Ada@new.example".into(),
        name: "Ada King".into(),
        username: "ada".into(),
        confirmed: false,
    };
    let confirmed_at = || there.supabase.user(&ada).unwrap()["email_confirmed_at"].clone();
    let before = confirmed_at();
    there.wait(TimeDelta::minutes(1));
    let correct = async |new: &Correction| {
        supabase.correct(&ada, new, &mut Memory::default(), &CallLog::new()).await.unwrap();
    };
    correct(&new).await;
    assert_eq!(confirmed_at(), before);
    (new.username, new.confirmed) = ("countess".into(), true);
    correct(&new).await;
    assert_eq!(confirmed_at(), before, "another name says nothing of the address");
    new.email = "ada@newer.example".into();
    correct(&new).await;
    assert_ne!(confirmed_at(), before);
    there.is_content();
}

#[tokio::test]
async fn a_user_is_erased_files_first_and_the_log_after() {
    let there = There::start().await;
    let (ada, eve) = people(&there);
    let supabase = at(there.supabase_client(|_| {}));
    let mut memory = Memory::default();
    let erased = erase(&supabase, &ada, &mut memory).await.unwrap();
    assert_eq!(erased, Erased::Proven(vec![Proof::Deleted, Proof::FilesGone, Proof::LogClean]));
    assert!(there.supabase.user(&ada).is_none() && there.supabase.user(&eve).is_some());
    assert_eq!(there.supabase.files(), [format!("{eve}/face.png")]);
    assert!(
        !there.supabase.log_holds(ADA) && !there.supabase.log_holds(&ada) && there.supabase.log_holds("eve@")
    );
    let again = erase(&supabase, &ada, &mut memory).await.unwrap();
    assert_eq!(again, Erased::Proven(vec![Proof::Unknown, Proof::FilesGone, Proof::LogClean]));
    there.is_content();
}

#[tokio::test]
async fn a_log_that_still_names_the_person_is_no_erasure() {
    let there = There::start().await;
    let (ada, _) = people(&there);
    there.supabase.keep_log();
    let refused = RecipientError::Refused("its log still names the person");
    let mut memory = Memory::default();
    for cleaner in [Some("forget_in_audit_log".to_owned()), None] {
        let supabase = at(there.supabase_client(|c| c.log_cleaner = cleaner));
        assert_eq!(erase(&supabase, &ada, &mut memory).await, Err(refused));
    }
    assert!(there.supabase.user(&ada).is_none(), "the user is gone, and it is not called done");
}

#[tokio::test]
async fn a_lost_answer_or_an_outage_is_made_good_by_the_next_turn() {
    for at_place in [At::Submit, At::Delete] {
        for fault in [Fault::LoseAnswer, Fault::Status(500), Fault::Busy(3)] {
            let there = There::start().await;
            let (ada, _) = people(&there);
            let supabase = at(there.supabase_client(|_| {}));
            let mut memory = Memory::default();
            there.supabase.fault(at_place, fault.clone());
            let mut last = erase(&supabase, &ada, &mut memory).await;
            for _ in 0..3 {
                if last.is_err() {
                    last = erase(&supabase, &ada, &mut memory).await;
                }
            }
            assert!(matches!(last, Ok(Erased::Proven(_))), "{at_place:?} {fault:?}: {last:?}");
            assert!(!there.supabase.log_holds(ADA), "{at_place:?} {fault:?}");
            there.is_content();
        }
    }
}

#[tokio::test]
async fn only_its_own_word_that_there_is_no_such_user_counts() {
    let there = There::start().await;
    let (ada, _) = people(&there);
    let supabase = at(there.supabase_client(|_| {}));
    there.supabase.fault(At::Status, Fault::Status(404));
    let garbled = erase(&supabase, &ada, &mut Memory::default()).await;
    assert_eq!(garbled, Err(RecipientError::Garbled("answer for a missing user")));
    assert!(there.supabase.user(&ada).is_some());
    for id in ["", "x", "../admin/users", "00000000-0000-0000-0000-00000000000G", &ada.to_uppercase()] {
        assert!(!supabase.is_account(id), "{id}");
        assert!(supabase.erase(id, &mut Memory::default(), &CallLog::new()).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn a_correction_is_read_back() {
    let there = There::start().await;
    let (ada, _) = people(&there);
    let supabase = at(there.supabase_client(|_| {}));
    let new = Correction {
        email: "Ada@new.example".into(),
        name: "Ada King".into(),
        username: "ada".into(),
        confirmed: true,
    };
    let proof = supabase.correct(&ada, &new, &mut Memory::default(), &CallLog::new()).await.unwrap();
    assert_eq!(proof, Some(Proof::Corrected));
    let user: Value = there.supabase.user(&ada).unwrap();
    assert_eq!(
        (&user["email"], &user["user_metadata"]["name"]),
        (&"ada@new.example".into(), &"Ada King".into())
    );
    there.is_content();
}
