//! Results: where they may lie, what becomes of those that cannot be had, and what shows that they are gone.

use chrono::TimeDelta;
use vouchsafe::base::Clock;
use vouchsafe::egress::Url;
use vouchsafe::fakes::{At, Fault, Pace, Plan};
use vouchsafe::providers::{Erasure, FalConfig, Handle, Proof, ProviderError};

use super::providers_stage::{NOW, admin, egress, fal, replicate};

#[tokio::test]
async fn one_bad_picture_of_several_does_not_spoil_the_others() {
    let scene = fal(Pace::Polls(0)).await;
    let mut job = scene.job();
    job.params.images = 3;
    for (fault, missing) in [
        (Fault::Html, ProviderError::Garbled("result picture")),
        (Fault::Status(404), ProviderError::Gone),
        (Fault::Status(503), ProviderError::Unavailable),
    ] {
        let (mut handle, _) = scene.ended(&job).await;
        scene.fake.fault(At::Output, fault);
        let output = scene.provider.result(&mut handle, 3, &scene.log).await.unwrap();
        assert_eq!((output.pictures.len(), output.missing, handle.outputs.len()), (2, Some(missing), 3));
    }
    scene.fake.plan(Plan::Astray);
    let (mut handle, _) = scene.ended(&job).await;
    let output = scene.provider.result(&mut handle, 3, &scene.log).await.unwrap();
    assert_eq!((output.pictures.len(), handle.outputs.len()), (2, 2), "a link to elsewhere is not kept");
    let (mut handle, _) = scene.ended(&job).await;
    scene.log.take();
    let output = scene.provider.result(&mut handle, 1, &scene.log).await.unwrap();
    let fetched = scene.log.take().iter().filter(|r| r.path == "/{result}").count();
    assert_eq!(
        (output.pictures.len(), fetched, handle.outputs.len()),
        (1, 1, 3),
        "no more than was asked for"
    );
}

#[tokio::test]
async fn a_host_of_results_that_is_sick_is_asked_once_and_is_not_the_queues_fault() {
    let scene = fal(Pace::Polls(0)).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    for _ in 0..8 {
        scene.fake.fault(At::Output, Fault::Status(500));
        scene.log.take();
        let found = scene.provider.result(&mut handle, 1, &scene.log).await.unwrap_err();
        assert_eq!(found, ProviderError::Unavailable);
        assert_eq!(scene.log.take().iter().filter(|r| r.path == "/{result}").count(), 1);
    }
    assert!(scene.put(&scene.job()).await.is_ok(), "the queue is well");
    // What cannot be seen to be gone for hours is held to be there, and said so.
    scene.fake.fault(At::Output, Fault::Status(500));
    let waiting = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert!(matches!(waiting, Erasure::Waiting { .. }));
    scene.minutes(181);
    scene.fake.fault(At::Output, Fault::Status(500));
    let late = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert_eq!(late, Erasure::Survives { pieces: 1 });
}

#[tokio::test]
async fn a_link_that_may_not_be_called_does_not_keep_an_erasure() {
    let scene = fal(Pace::Polls(0)).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    scene.provider.result(&mut handle, 1, &scene.log).await.unwrap();
    handle.outputs.insert(0, Url::parse("https://elsewhere.example/a.png").unwrap());
    let erased = scene.provider.erase(&handle, Some(&admin()), &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::PayloadDeleted, Proof::OutputGone, Proof::HistoryEmpty]));
    scene.is_clean();
}

#[tokio::test]
async fn results_come_from_the_documented_host_itself_and_from_below_it() {
    let config = FalConfig::live("id:secret".to_owned().into()).unwrap();
    let clock = Clock::system();
    let way_out = egress(config.recipient().unwrap(), &clock);
    for (link, may) in [
        ("https://fal.media/files/a.png", true),
        ("https://v3b.fal.media/files/a.png", true),
        ("https://fal.media.elsewhere.example/a.png", false),
        ("https://notfal.media/a.png", false),
        ("http://fal.media/a.png", false),
    ] {
        assert_eq!(way_out.check("fal-ai", &Url::parse(link).unwrap()).is_ok(), may, "{link}");
    }
}

#[tokio::test]
async fn a_create_is_held_only_where_nothing_else_tells_of_its_end() {
    let scene = replicate(Pace::Manual).await;
    scene.put(&scene.job()).await.unwrap();
    let mut told = scene.job();
    told.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    scene.put(&told).await.unwrap();
    assert_eq!(scene.fake.waits(), [5, 1]);
}

#[tokio::test]
async fn a_result_in_the_answer_is_read_and_one_at_another_place_is_not() {
    let scene = replicate(Pace::Polls(0)).await;
    scene.fake.plan(Plan::Inline);
    let (mut handle, _) = scene.ended(&scene.job()).await;
    let output = scene.provider.result(&mut handle, 1, &scene.log).await.unwrap();
    assert!(image::load_from_memory(&output.pictures[0].bytes).is_ok());
    assert_eq!(handle.outputs, []);

    scene.fake.plan(Plan::Astray);
    let (mut handle, _) = scene.ended(&scene.job()).await;
    let found = scene.provider.result(&mut handle, 1, &scene.log).await.unwrap_err();
    assert_eq!(found, ProviderError::Garbled("result link"));
    assert_eq!(handle.outputs, [], "it is no place of a copy of ours");
    // Nor does one stand in the way that an older version kept.
    handle.outputs.push(Url::parse("https://elsewhere.example/a.png").unwrap());
    scene.minutes(63);
    let erased = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::DataRemoved]));
}

#[tokio::test]
async fn a_job_that_is_not_known_there_proves_nothing_while_its_result_may_lie_there() {
    let scene = replicate(Pace::Polls(0)).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    scene.provider.result(&mut handle, 1, &scene.log).await.unwrap();
    handle.id = "nobodyknowsthisone".to_owned();
    let bare = Handle { outputs: vec![], ..handle.clone() };
    let erase = async |handle: &Handle| scene.provider.erase(handle, None, &scene.log).await.unwrap();
    let later = Erasure::Waiting { until: NOW.plus(TimeDelta::minutes(10)) };
    assert_eq!((erase(&handle).await, erase(&bare).await), (later.clone(), later));
    scene.minutes(61);
    assert_eq!(erase(&handle).await, Erasure::Proven(vec![Proof::JobUnknown, Proof::OutputGone]));
    assert!(matches!(erase(&bare).await, Erasure::Waiting { .. }), "it may have begun late");
    scene.minutes(7);
    assert_eq!(erase(&bare).await, Erasure::Proven(vec![Proof::JobUnknown]));
}
