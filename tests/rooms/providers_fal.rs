//! FAL.AI through its stand-in: each trap that its protocol holds.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::egress::{Method, Url};
use vouchsafe::fakes::{At, FakeFal, Fault, Pace, Plan};
use vouchsafe::imaging::Format;
use vouchsafe::providers::{
    Aspect, Cancelled, Erasure, Failure, Handle, Input, Job, Known, Model, Params, Proof, ProviderError,
    Reconciled, State, Submitted,
};

use super::providers_stage::{NOW, Stage, admin, fal, fal_with, picture};

impl Stage<FakeFal> {
    pub(super) async fn put(&self, job: &Job) -> Result<Submitted, ProviderError> {
        let intent = self.provider.prepare(job)?;
        self.provider.submit(&intent, job, &self.log).await
    }

    /// Puts a job and polls until it has ended.
    pub(super) async fn ended(&self, job: &Job) -> (Handle, State) {
        let handle = self.put(job).await.unwrap().handle;
        for _ in 0..5 {
            let state = self.provider.poll(&handle, &self.log).await.unwrap();
            if state.is_final() {
                return (handle, state);
            }
        }
        panic!("it never ends");
    }

    pub(super) fn is_clean(&self) {
        assert_eq!(self.fake.complaints(), [""; 0]);
        assert_eq!(self.fake.held(), [""; 0]);
    }
}

#[tokio::test]
async fn an_edit_goes_in_comes_out_and_leaves_nothing_behind() {
    let scene = fal(Pace::Polls(2)).await;
    let job = scene.job();
    let Submitted { mut handle, state } = scene.put(&job).await.unwrap();
    assert!(matches!(state, State::Queued(_)));
    let mut states = Vec::new();
    while !states.last().is_some_and(|s: &State| s.is_final()) {
        states.push(scene.provider.poll(&handle, &scene.log).await.unwrap());
    }
    assert_eq!(states, [State::Queued(Some(1)), State::Running, State::Done]);

    let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    assert_eq!(output.pictures.len(), 1);
    assert_eq!(output.pictures[0].format, Format::Jpeg);
    let decoded = image::load_from_memory(&output.pictures[0].bytes).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (48, 32));
    assert!(!scene.fake.held().is_empty(), "a control: there is something to erase");

    let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::PayloadDeleted, Proof::OutputGone, Proof::HistoryEmpty]));
    scene.is_clean();
    assert_eq!(scene.fake.charges(), 1);
}

#[tokio::test]
async fn what_is_sent_is_what_the_model_takes_and_no_more() {
    let scene = fal(Pace::Manual).await;
    let mut job = scene.job();
    job.model = Model::Max;
    job.inputs.push(Input::Link(Url::parse("https://example.com/short-lived").unwrap()));
    job.params = Params {
        seed: Some(42),
        aspect: Aspect::parse("16:9").unwrap(),
        format: Format::Png,
        safety: 0,
        upsample: true,
        guidance: Some(3.5),
        images: 4,
    };
    job.webhook = Some(Url::parse("https://app.example/hooks/1?x=y&z").unwrap());
    job.inputs.truncate(1);
    scene.put(&job).await.unwrap();
    let mut sent = scene.fake.last_input().unwrap();
    let link = sent["image_url"].take();
    assert!(link.as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
    assert_eq!(
        sent,
        json!({
            "prompt": "make it grey, canary-prompt", "image_url": null, "seed": 42, "num_images": 4,
            "output_format": "png", "safety_tolerance": "1", "enhance_prompt": true, "sync_mode": false,
            "guidance_scale": 3.5, "aspect_ratio": "16:9",
        })
    );
    assert_eq!(scene.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn each_model_has_its_own_place() {
    let scene = fal(Pace::Polls(0)).await;
    for (model, count) in [(Model::Pro, 1), (Model::Max, 1), (Model::Pro, 2), (Model::Max, 3)] {
        let mut job = scene.job();
        job.model = model;
        job.inputs = vec![Input::Bytes { format: Format::Png, bytes: picture(16, 16) }; count];
        let (mut handle, state) = scene.ended(&job).await;
        assert_eq!(state, State::Done, "{model:?} {count}");
        let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
        let width = image::load_from_memory(&output.pictures[0].bytes).unwrap().width();
        assert_eq!(width, 16 * u32::try_from(count).unwrap());
        let links = handle.links.unwrap();
        assert!(
            links.status.path().starts_with("/fal-ai/flux-pro/requests/"),
            "the model's own part is dropped"
        );
    }
    assert_eq!(scene.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn what_the_model_does_not_take_is_refused_before_anything_is_sent() {
    let scene = fal(Pace::Manual).await;
    let change: [fn(&mut Job); 10] = [
        |j| j.prompt = "  ".to_owned().into(),
        |j| j.prompt = "x".repeat(10_001).into(),
        |j| j.inputs.clear(),
        |j| j.inputs = vec![j.inputs[0].clone(); 5],
        |j| j.params.safety = 7,
        |j| j.params.images = 0,
        |j| j.params.guidance = Some(f32::NAN),
        |j| j.params.guidance = Some(20.5),
        |j| j.params.aspect = Aspect::parse("4:5").unwrap(),
        |j| j.inputs = vec![Input::Bytes { format: Format::Jpeg, bytes: picture(8, 8) }],
    ];
    for (n, change) in change.iter().enumerate() {
        let mut job = scene.job();
        change(&mut job);
        assert!(matches!(scene.provider.prepare(&job), Err(ProviderError::Invalid(_))), "{n}");
    }
    let mut large = scene.job();
    large.inputs = vec![Input::Bytes { format: Format::Png, bytes: picture(1700, 1700) }];
    assert!(
        matches!(scene.provider.prepare(&large), Err(ProviderError::Invalid(_))),
        "no upload to their CDN"
    );
    assert_eq!(scene.fake.charges(), 0);
}

#[tokio::test]
async fn completed_does_not_mean_success() {
    let scene = fal(Pace::Polls(0)).await;
    for (plan, failure) in [(Plan::Refuse, Failure::ContentPolicy), (Plan::Break, Failure::Fault)] {
        scene.fake.plan(plan);
        let (mut handle, state) = scene.ended(&scene.job()).await;
        assert_eq!(state, State::Failed(failure));
        let result = scene.provider.result(&mut handle, 4, &scene.log).await;
        assert_eq!(result.unwrap_err(), ProviderError::Refused(failure));
        let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
        assert!(matches!(erased, Erasure::Proven(_)));
    }
    scene.is_clean();
}

#[tokio::test]
async fn a_lost_answer_is_reconciled_and_never_sent_again() {
    let scene = fal(Pace::Manual).await;
    // Somebody else's job at the same time, with the same prompt.
    scene.put(&scene.job()).await.unwrap();
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = scene.job();
    let intent = scene.provider.prepare(&job).unwrap();
    let lost = scene.provider.submit(&intent, &job, &scene.log).await.unwrap_err();
    assert_eq!(lost, ProviderError::Unknown);
    assert!(!lost.not_taken());
    assert_eq!(
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap(),
        Reconciled::Unclear
    );
    scene.fake.work();
    let Reconciled::Found(mut handle) =
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap()
    else {
        panic!("it is there");
    };
    assert_eq!(handle.id, scene.fake.ids()[1]);
    assert_eq!(scene.provider.poll(&handle, &scene.log).await.unwrap(), State::Done);
    let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    assert_eq!(output.seed, Some(u64::from(intent.seed)));
    assert_eq!(scene.fake.charges(), 2, "one charge each");
}

#[tokio::test]
async fn a_job_that_never_arrived_is_absent_once_time_has_passed() {
    let scene = fal(Pace::Manual).await;
    let intent = scene.provider.prepare(&scene.job()).unwrap();
    assert_eq!(
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap(),
        Reconciled::Unclear
    );
    scene.minutes(8);
    assert_eq!(
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap(),
        Reconciled::Absent
    );
}

#[tokio::test]
async fn jobs_that_are_known_to_be_others_are_passed_over() {
    let scene = fal(Pace::Manual).await;
    let other = scene.put(&scene.job()).await.unwrap().handle;
    let intent = scene.provider.prepare(&scene.job()).unwrap();
    scene.fake.work();
    // Erased, it tells nothing: it could be the one that is looked for.
    scene.provider.erase(&other, Some(&admin()), &scene.log).await.unwrap();
    scene.minutes(8);
    let look = async |known: Known| scene.provider.reconcile(&intent, &known, &scene.log).await.unwrap();
    assert_eq!(look(Known::default()).await, Reconciled::Unclear);
    assert_eq!(look([Known::hash(&other.id)].into_iter().collect()).await, Reconciled::Absent);
}

#[tokio::test]
async fn a_failed_submit_says_whether_it_may_be_put_again() {
    let scene = fal(Pace::Manual).await;
    for (fault, error, not_taken) in [
        (Fault::Busy(7), ProviderError::Busy { after: Some(Duration::from_secs(7)) }, true),
        (Fault::Status(401), ProviderError::Unauthorised, true),
        (Fault::Status(403), ProviderError::Unauthorised, true),
        (Fault::Status(413), ProviderError::Refused(Failure::InputTooLarge), true),
        (Fault::Status(500), ProviderError::Unknown, false),
        (Fault::Status(502), ProviderError::Unknown, false),
        (Fault::Html, ProviderError::Unknown, false),
        (Fault::Empty, ProviderError::Unknown, false),
        (Fault::Redirect("http://127.0.0.1:1/".to_owned()), ProviderError::Garbled("redirect"), false),
    ] {
        scene.fake.fault(At::Submit, fault.clone());
        let found = scene.put(&scene.job()).await.unwrap_err();
        assert_eq!((found, found.not_taken()), (error, not_taken), "{fault:?}");
    }
    assert_eq!(scene.fake.charges(), 0, "none was sent twice");
}

#[tokio::test]
async fn links_that_lead_elsewhere_are_not_followed() {
    let scene = fal(Pace::Polls(0)).await;
    let trap = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}", trap.local_addr().unwrap());
    scene.fake.fault(At::Submit, Fault::ForeignLinks(elsewhere.clone()));
    let (handle, state) = scene.ended(&scene.job()).await;
    assert_eq!(state, State::Done);
    // Nor are they when the stored handle was tampered with, be it to another place or to another job.
    for link in [
        format!("{elsewhere}/fal-ai/flux-pro/requests/{}", handle.id),
        format!("{}/fal-ai/flux-pro/requests/another", scene.fake.base()),
        format!("http://evil@{}/requests/{}", &scene.fake.base()[7..], handle.id),
    ] {
        let mut tampered = handle.clone();
        tampered.links.as_mut().unwrap().status = Url::parse(&link).unwrap();
        assert_eq!(scene.provider.poll(&tampered, &scene.log).await.unwrap(), State::Done, "{link}");
    }
    assert!(trap.accept().is_err(), "nobody came to the trap");
}

#[tokio::test]
async fn a_result_that_is_no_picture_is_refused_and_still_erased() {
    let scene = fal_with(Pace::Polls(0), |c| c.at_most = 1 << 20).await;
    for (fault, error) in [
        (Fault::Html, ProviderError::Garbled("result picture")),
        (Fault::Empty, ProviderError::Garbled("result picture")),
        (Fault::Endless, ProviderError::Garbled("size")),
        (Fault::Vast, ProviderError::Garbled("size")),
        (Fault::Redirect("http://169.254.169.254/".to_owned()), ProviderError::Garbled("redirect")),
        (Fault::Status(404), ProviderError::Gone),
    ] {
        let (mut handle, _) = scene.ended(&scene.job()).await;
        scene.fake.fault(At::Output, fault.clone());
        let found = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err();
        assert_eq!(found, error, "{fault:?}");
        assert_eq!(handle.outputs.len(), 1, "noted, so that its erasure is looked at");
        let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
        assert!(matches!(erased, Erasure::Proven(_)));
    }
    scene.is_clean();
}

#[tokio::test]
async fn a_result_inside_the_answer_makes_no_file() {
    let scene = fal_with(Pace::Polls(0), |c| c.inline_output = true).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    assert_eq!(output.pictures[0].format, Format::Jpeg);
    assert!(handle.outputs.is_empty());
    assert!(scene.fake.held().iter().all(|h| !h.starts_with("file")));
    let mut large = scene.job();
    large.inputs = vec![Input::Bytes { format: Format::Png, bytes: picture(300, 300) }];
    let (mut handle, _) = scene.ended(&large).await;
    scene.minutes(7);
    let late = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err();
    assert_eq!(late, ProviderError::Gone, "10 KB and more last six minutes");
}

#[tokio::test]
async fn a_cancel_proves_nothing() {
    let scene = fal(Pace::Manual).await;
    scene.fake.plan(Plan::IgnoreCancel);
    let handle = scene.put(&scene.job()).await.unwrap().handle;
    scene.fake.start();
    let asked = scene.provider.cancel(&handle, &scene.log).await.unwrap();
    assert_eq!(asked, Cancelled::Requested);
    // It is still running, so erasing must wait; then it succeeds all the same, and what it made is erased.
    let waiting = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert_eq!(waiting, Erasure::Waiting { until: NOW.plus(TimeDelta::seconds(15)) });
    scene.fake.work();
    assert_eq!(scene.provider.poll(&handle, &scene.log).await.unwrap(), State::Done);
    assert_eq!(scene.provider.cancel(&handle, &scene.log).await.unwrap(), Cancelled::TooLate);
    assert!(scene.fake.held().iter().any(|h| h.starts_with("file")), "a control: it left a file");
    let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert!(matches!(erased, Erasure::Proven(_)));
    scene.is_clean();

    let handle = scene.put(&scene.job()).await.unwrap().handle;
    scene.provider.cancel(&handle, &scene.log).await.unwrap();
    scene.fake.work();
    let state = scene.provider.poll(&handle, &scene.log).await.unwrap();
    assert_eq!(state, State::Failed(Failure::Cancelled));
    let mut unknown = handle;
    unknown.id = "11111111-2222-3333-4444-555555555555".to_owned();
    unknown.links = None;
    assert_eq!(scene.provider.cancel(&unknown, &scene.log).await.unwrap(), Cancelled::NotThere);
    assert_eq!(scene.provider.poll(&unknown, &scene.log).await.unwrap(), State::Gone);
}

#[tokio::test]
async fn a_file_that_could_not_be_deleted_is_said_so() {
    let scene = fal(Pace::Polls(0)).await;
    scene.fake.plan(Plan::KeepFile);
    let (mut handle, _) = scene.ended(&scene.job()).await;
    scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    let kept = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert_eq!(kept, Erasure::Survives { pieces: 1 });
    // The lifetime that was asked for is the net below.
    scene.minutes(11);
    let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert!(matches!(erased, Erasure::Proven(_)));
    scene.is_clean();
}

#[tokio::test]
async fn deletion_needs_the_key_that_is_held_apart() {
    let scene = fal(Pace::Polls(0)).await;
    let (handle, _) = scene.ended(&scene.job()).await;
    let without = scene.provider.erase(&handle, None, &scene.log).await;
    assert_eq!(without, Err(ProviderError::Unauthorised));
    let wrong = vouchsafe::providers::ErasureKey::new(FakeFal::KEY.to_owned().into());
    let refused = scene.provider.erase(&handle, Some(&wrong), &scene.log).await;
    assert_eq!(refused, Err(ProviderError::Unauthorised));
}

#[tokio::test]
async fn a_result_lasts_an_hour_and_no_longer() {
    let scene = fal(Pace::Polls(0)).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    scene.minutes(61);
    let late = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err();
    assert_eq!(late, ProviderError::Gone);
}

#[tokio::test]
async fn reads_are_repeated_and_a_sick_provider_is_left_alone() {
    let scene = fal(Pace::Manual).await;
    let handle = scene.put(&scene.job()).await.unwrap().handle;
    for fault in [Fault::Status(503), Fault::LoseAnswer] {
        scene.fake.fault(At::Status, fault);
    }
    let state = scene.provider.poll(&handle, &scene.log).await.unwrap();
    assert!(matches!(state, State::Queued(_)), "the third try told");
    scene.fake.fault(At::Status, Fault::Busy(9));
    let busy = scene.provider.poll(&handle, &scene.log).await.unwrap_err();
    assert_eq!(busy, ProviderError::Busy { after: Some(Duration::from_secs(9)) });
    for _ in 0..6 {
        scene.fake.fault(At::Status, Fault::Status(500));
    }
    let sick = scene.provider.poll(&handle, &scene.log).await.unwrap_err();
    assert_eq!(sick, ProviderError::Unavailable);
    let resting = scene.provider.poll(&handle, &scene.log).await.unwrap_err();
    assert!(matches!(resting, ProviderError::Resting { .. } | ProviderError::Unavailable));
    let before = scene.log.take().len();
    let refused = scene.put(&scene.job()).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Resting { .. }) && refused.not_taken(), "{refused:?} {before}");
    assert!(scene.log.take().is_empty(), "nothing goes out while it rests");
    scene.minutes(1);
    for _ in 0..3 {
        // What faults are left over are used up by probes.
        let _ = scene.provider.poll(&handle, &scene.log).await;
        scene.minutes(10);
    }
    assert!(scene.provider.poll(&handle, &scene.log).await.is_ok());
}

#[tokio::test]
async fn no_prompt_key_or_picture_shows_anywhere() {
    let scene = fal(Pace::Polls(0)).await;
    scene.fake.plan(Plan::Refuse);
    let job = scene.job();
    let intent = scene.provider.prepare(&job).unwrap();
    let submitted = scene.provider.submit(&intent, &job, &scene.log).await.unwrap();
    let mut handle = submitted.handle.clone();
    scene.provider.poll(&handle, &scene.log).await.unwrap();
    let error = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err();
    let records = serde_json::to_string(&scene.log.take()).unwrap();
    let stored = serde_json::to_string(&(&intent, &handle)).unwrap();
    let shown =
        format!("{job:?} {intent:?} {submitted:?} {error:?} {error} {records} {stored} {:?}", scene.provider);
    for canary in ["canary", "fake-secret", "base64", "iVBOR"] {
        assert!(!shown.contains(canary), "{canary}");
    }
    let call = vouchsafe::egress::Call::new("fal-ai", Method::GET, Url::parse("https://x/y").unwrap(), "/y");
    assert!(!format!("{call:?} {:?}", scene.egress).contains("https"));
}
