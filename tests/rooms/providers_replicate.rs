//! Replicate through its stand-in: each trap that its protocol holds.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::egress::Url;
use vouchsafe::fakes::{At, FakeReplicate, Fault, Pace, Plan};
use vouchsafe::imaging::Format;
use vouchsafe::providers::{
    Aspect, Cancelled, Erasure, Failure, Forgery, Handle, Input, Job, Known, Model, Params, Proof,
    ProviderError, Reconciled, State, Submitted,
};

use super::providers_stage::{NOW, Stage, headers, picture, replicate, replicate_with, secret};

impl Stage<FakeReplicate> {
    pub(super) async fn put(&self, job: &Job) -> Result<Submitted, ProviderError> {
        let intent = self.provider.prepare(job)?;
        self.provider.submit(&intent, job, &self.log).await
    }

    /// Puts a job and polls until it has ended.
    pub(super) async fn ended(&self, job: &Job) -> (Handle, State) {
        let Submitted { handle, state } = self.put(job).await.unwrap();
        if state.is_final() {
            return (handle, state);
        }
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
async fn an_edit_goes_in_comes_out_and_is_seen_to_be_removed() {
    let scene = replicate(Pace::Polls(2)).await;
    let Submitted { mut handle, state } = scene.put(&scene.job()).await.unwrap();
    assert_eq!(state, State::Queued(None), "that waiting ended first is no failure");
    let mut states = Vec::new();
    while !states.last().is_some_and(|s: &State| s.is_final()) {
        states.push(scene.provider.poll(&handle, &scene.log).await.unwrap());
    }
    assert_eq!(states, [State::Queued(None), State::Running, State::Done]);
    let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    assert_eq!(output.pictures.len(), 1);
    assert!(image::load_from_memory(&output.pictures[0].bytes).is_ok());

    // There is no call that deletes: it goes after an hour, and that is looked at.
    let waiting = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(waiting, Erasure::Waiting { until: NOW.plus(TimeDelta::minutes(62)) });
    assert!(!scene.fake.held().is_empty(), "a control: it is still there");
    scene.minutes(62);
    let erased = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::DataRemoved, Proof::OutputGone]));
    scene.is_clean();
    assert_eq!((scene.fake.charges(), scene.fake.uploads()), (1, 0));
}

#[tokio::test]
async fn a_create_that_waits_gives_the_result_at_once() {
    let scene = replicate(Pace::Polls(0)).await;
    let submitted = scene.put(&scene.job()).await.unwrap();
    assert_eq!(submitted.state, State::Done);
}

#[tokio::test]
async fn what_is_sent_is_what_the_model_takes_and_no_more() {
    let scene = replicate(Pace::Manual).await;
    let mut job = scene.job();
    job.params = Params {
        seed: Some(42),
        aspect: Aspect::parse("4:5").unwrap(),
        format: Format::Png,
        safety: 2,
        upsample: true,
        ..Params::default()
    };
    scene.put(&job).await.unwrap();
    let mut sent = scene.fake.last_input().unwrap();
    assert!(sent["input_image"].take().as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
    assert_eq!(
        sent,
        json!({
            "prompt": "make it grey, canary-prompt", "input_image": null, "seed": 42, "output_format": "png",
            "safety_tolerance": 2, "prompt_upsampling": true, "aspect_ratio": "4:5",
        })
    );
    let mut two = scene.job();
    two.model = Model::Max;
    two.inputs.push(two.inputs[0].clone());
    scene.put(&two).await.unwrap();
    let sent = scene.fake.last_input().unwrap();
    assert!(sent["input_image_1"].is_string() && sent["input_image_2"].is_string());
    assert_eq!((&sent["aspect_ratio"], &sent["output_format"]), (&json!("match_input_image"), &json!("jpg")));
    assert!(sent.get("prompt_upsampling").is_none());
    assert_eq!(scene.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_model_pinned_to_a_version_goes_the_general_way() {
    let scene = replicate_with(Pace::Polls(0), |c| {
        c.models.pro = "black-forest-labs/flux-kontext-pro:0123abcd".to_owned();
    })
    .await;
    assert_eq!(scene.put(&scene.job()).await.unwrap().state, State::Done);
    let paths: Vec<_> = scene.log.take().iter().map(|r| r.path).collect();
    assert_eq!(paths, ["/predictions"]);
    assert_eq!(scene.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn what_the_model_does_not_take_is_refused_before_anything_is_sent() {
    let scene = replicate(Pace::Manual).await;
    let change: [fn(&mut Job); 6] = [
        |j| j.params.guidance = Some(3.5),
        |j| j.params.images = 2,
        |j| j.params.safety = 3,
        |j| j.inputs = vec![j.inputs[0].clone(); 3],
        |j| {
            j.inputs = vec![j.inputs[0].clone(); 2];
            j.params.upsample = true;
        },
        |j| j.params.format = Format::WebP,
    ];
    for (n, change) in change.iter().enumerate() {
        let mut job = scene.job();
        change(&mut job);
        assert!(matches!(scene.provider.prepare(&job), Err(ProviderError::Invalid(_))), "{n}");
    }
    assert_eq!(scene.fake.charges(), 0);
}

pub(super) fn large(scene: &Stage<FakeReplicate>) -> Job {
    let mut job = scene.job();
    job.inputs = vec![Input::Bytes { format: Format::Png, bytes: picture(400, 400) }];
    job
}

#[tokio::test]
async fn a_large_picture_is_uploaded_under_the_pseudonym_and_deleted() {
    let scene = replicate(Pace::Polls(0)).await;
    let job = large(&scene);
    let (handle, state) = scene.ended(&job).await;
    assert_eq!(state, State::Done);
    assert_eq!((scene.fake.uploads(), handle.files.len()), (1, 1));
    let upload = scene.fake.held().into_iter().find(|h| h.starts_with("upload")).unwrap();
    assert!(upload.contains(job.pseudonym.as_str()) && upload.contains("image/png"));
    // The upload goes at once, long before the prediction's data do.
    let waiting = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert!(matches!(waiting, Erasure::Waiting { .. }));
    assert!(scene.fake.held().iter().all(|h| !h.starts_with("upload")));
    scene.minutes(62);
    let erased = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::FileDeleted, Proof::DataRemoved]));
    scene.is_clean();
}

#[tokio::test]
async fn an_upload_does_not_outlive_a_refused_create() {
    let scene = replicate(Pace::Manual).await;
    for fault in [Fault::Status(422), Fault::Status(402), Fault::Busy(1)] {
        scene.fake.fault(At::Submit, fault);
        assert!(scene.put(&large(&scene)).await.unwrap_err().not_taken());
    }
    scene.fake.fault(At::Upload, Fault::LoseAnswer);
    assert_eq!(scene.put(&large(&scene)).await.unwrap_err(), ProviderError::Unknown, "more may land");
    scene.fake.fault(At::Upload, Fault::Status(500));
    assert_eq!(scene.put(&large(&scene)).await.unwrap_err(), ProviderError::Unknown);
    assert_eq!(scene.fake.uploads(), 4);
    assert_eq!(scene.fake.charges(), 0);
    scene.is_clean();
}

#[tokio::test]
async fn an_upload_that_lands_after_it_was_looked_for_is_looked_for_again() {
    let scene = replicate(Pace::Manual).await;
    scene.fake.fault(At::Upload, Fault::LandLate);
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    let lost = scene.provider.submit(&intent, &job, &scene.log).await.unwrap_err();
    assert_eq!((lost, lost.not_taken()), (ProviderError::Unknown, false));
    assert_eq!(scene.fake.held().len(), 1, "it is there now");
    let look = async || scene.provider.reconcile(&intent, &Known::default(), &scene.log).await;
    assert_eq!(look().await, Ok(Reconciled::Unclear), "too early");
    scene.minutes(11);
    assert_eq!(look().await, Ok(Reconciled::Absent));
    scene.is_clean();
}

#[tokio::test]
async fn a_list_of_uploads_that_is_not_read_to_its_end_shows_nothing() {
    let scene = replicate(Pace::Manual).await;
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    scene.minutes(11);
    for _ in 0..100 {
        scene.fake.fault(At::Uploads, Fault::NoEnd);
    }
    let look = async || scene.provider.reconcile(&intent, &Known::default(), &scene.log).await;
    assert_eq!(look().await, Err(ProviderError::Garbled("files without end")));
    scene.fake.forgive();
    assert_eq!(look().await, Ok(Reconciled::Absent), "a control");
}

#[tokio::test]
async fn a_lost_answer_is_reconciled_and_never_sent_again() {
    let scene = replicate(Pace::Manual).await;
    scene.put(&scene.job()).await.unwrap();
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    let lost = scene.provider.submit(&intent, &job, &scene.log).await.unwrap_err();
    assert_eq!(lost, ProviderError::Unknown);
    let Reconciled::Found(handle) =
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap()
    else {
        panic!("it is there");
    };
    assert_eq!((&handle.id, handle.files.len()), (&scene.fake.ids()[1], 1));
    assert_eq!(scene.fake.charges(), 2);
}

#[tokio::test]
async fn another_persons_job_with_the_same_seed_is_not_taken_for_ours() {
    let scene = replicate(Pace::Manual).await;
    let mut theirs = scene.job();
    theirs.params.seed = Some(42);
    scene.put(&theirs).await.unwrap();
    let mut ours = scene.job();
    ours.params.seed = Some(42);
    ours.prompt = secret("something else");
    let intent = scene.provider.prepare(&ours).unwrap();
    let theirs: Known = [Known::hash(&scene.fake.ids()[0])].into_iter().collect();
    let look = async |known: &Known| scene.provider.reconcile(&intent, known, &scene.log).await.unwrap();
    assert_eq!(look(&theirs).await, Reconciled::Unclear, "too early");
    scene.minutes(11);
    assert_eq!(look(&Known::default()).await, Reconciled::Unclear, "the words could have been changed there");
    assert_eq!(look(&theirs).await, Reconciled::Absent);
    // When even a job that ran would show nothing any more, absence proves nothing.
    scene.minutes(60);
    assert_eq!(
        scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap(),
        Reconciled::Unclear
    );
}

#[tokio::test]
async fn a_lost_job_is_found_behind_a_hundred_others() {
    let scene = replicate(Pace::Manual).await;
    scene.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = scene.job();
    let intent = scene.provider.prepare(&job).unwrap();
    assert!(scene.provider.submit(&intent, &job, &scene.log).await.is_err());
    for _ in 0..120 {
        scene.put(&scene.job()).await.unwrap();
    }
    let found = scene.provider.reconcile(&intent, &Known::default(), &scene.log).await.unwrap();
    assert!(matches!(found, Reconciled::Found(h) if h.id == scene.fake.ids()[0]));
}

#[tokio::test]
async fn a_failed_create_says_whether_it_may_be_put_again() {
    let scene = replicate(Pace::Manual).await;
    for (fault, error, not_taken) in [
        (Fault::Status(401), ProviderError::Unauthorised, true),
        (Fault::Status(402), ProviderError::Refused(Failure::NoCredit), true),
        (Fault::Status(422), ProviderError::Refused(Failure::BadInput), true),
        (Fault::Status(500), ProviderError::Unknown, false),
        (Fault::Html, ProviderError::Unknown, false),
    ] {
        scene.fake.fault(At::Submit, fault.clone());
        let found = scene.put(&scene.job()).await.unwrap_err();
        assert_eq!((found, found.not_taken()), (error, not_taken), "{fault:?}");
    }
}

#[tokio::test]
async fn a_prediction_that_fails_is_a_failure_whatever_its_text() {
    let scene = replicate(Pace::Polls(1)).await;
    for plan in [Plan::Refuse, Plan::Break] {
        scene.fake.plan(plan);
        let (mut handle, state) = scene.ended(&scene.job()).await;
        assert_eq!(state, State::Failed(Failure::Fault));
        let found = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err();
        assert_eq!(found, ProviderError::Refused(Failure::Fault));
    }
}

#[tokio::test]
async fn a_deadline_that_passes_before_the_start_aborts() {
    let scene = replicate(Pace::Manual).await;
    let handle = scene.put(&scene.job()).await.unwrap().handle;
    scene.minutes(6);
    let state = scene.provider.poll(&handle, &scene.log).await.unwrap();
    assert_eq!(state, State::Failed(Failure::TimedOut));
    assert_eq!(scene.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_cancel_stops_it_or_proves_nothing() {
    let scene = replicate(Pace::Manual).await;
    let handle = scene.put(&scene.job()).await.unwrap().handle;
    assert_eq!(scene.provider.cancel(&handle, &scene.log).await.unwrap(), Cancelled::Requested);
    let state = scene.provider.poll(&handle, &scene.log).await.unwrap();
    assert_eq!(state, State::Failed(Failure::Cancelled));

    scene.fake.plan(Plan::IgnoreCancel);
    let handle = scene.put(&scene.job()).await.unwrap().handle;
    let waiting = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert_eq!(waiting, Erasure::Waiting { until: NOW.plus(TimeDelta::seconds(15)) });
    scene.fake.work();
    assert_eq!(scene.provider.poll(&handle, &scene.log).await.unwrap(), State::Done);
    assert_eq!(scene.provider.cancel(&handle, &scene.log).await.unwrap(), Cancelled::TooLate);
    scene.minutes(63);
    let erased = scene.provider.erase(&handle, None, &scene.log).await.unwrap();
    assert!(matches!(erased, Erasure::Proven(_)));
}

#[tokio::test]
async fn after_an_hour_the_result_is_gone() {
    let scene = replicate(Pace::Polls(0)).await;
    let (mut handle, _) = scene.ended(&scene.job()).await;
    scene.minutes(60);
    assert_eq!(scene.provider.poll(&handle, &scene.log).await.unwrap(), State::Gone);
    assert_eq!(scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err(), ProviderError::Gone);
}

#[tokio::test]
async fn a_result_that_is_no_picture_is_refused() {
    let scene = replicate_with(Pace::Polls(0), |c| c.at_most = 1 << 20).await;
    for (fault, error) in [
        (Fault::Html, ProviderError::Garbled("result picture")),
        (Fault::Empty, ProviderError::Garbled("result picture")),
        (Fault::Endless, ProviderError::Garbled("size")),
        (Fault::Vast, ProviderError::Garbled("size")),
        (Fault::Redirect("http://169.254.169.254/".to_owned()), ProviderError::Garbled("redirect")),
    ] {
        let (mut handle, _) = scene.ended(&scene.job()).await;
        scene.fake.fault(At::Output, fault.clone());
        assert_eq!(scene.provider.result(&mut handle, 4, &scene.log).await.unwrap_err(), error, "{fault:?}");
        assert_eq!(handle.outputs.len(), 1);
    }
    assert_eq!(scene.fake.complaints(), [""; 0], "no token went to the host of results");
}

#[tokio::test]
async fn a_webhook_is_believed_for_its_signature_alone() {
    let scene = replicate(Pace::Manual).await;
    let mut job = scene.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    let handle = scene.put(&job).await.unwrap().handle;
    scene.put(&job).await.unwrap();
    scene.fake.work();
    let mut deliveries = scene.fake.outbox();
    // Out of order: each tells by itself which job it is about.
    deliveries.reverse();
    let mut found = Vec::new();
    for delivery in &deliveries {
        found.push(scene.provider.verify(&headers(delivery), &delivery.body, &scene.log).await.unwrap());
    }
    assert_eq!(found[1].id, handle.id);
    assert_ne!(found[0].delivery, found[1].delivery);

    let delivery = &deliveries[1];
    let good = headers(delivery);
    let mut body = delivery.body.clone();
    body[10] ^= 1;
    let forged = |error| Err(ProviderError::Forged(error));
    assert_eq!(scene.provider.verify(&good, &body, &scene.log).await, forged(Forgery::Signature));
    let swapped = headers(&deliveries[0]);
    let found = scene.provider.verify(&swapped, &delivery.body, &scene.log).await;
    assert_eq!(found, forged(Forgery::Signature));
    scene.minutes(6);
    assert_eq!(scene.provider.verify(&good, &delivery.body, &scene.log).await, forged(Forgery::Stale));
}

#[tokio::test]
async fn a_webhook_that_is_turned_away_comes_again() {
    use axum::http::{HeaderMap, StatusCode};
    use vouchsafe::base::{Clock, Entropy};
    use vouchsafe::fakes::Options;

    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let hook = move |headers: HeaderMap, body: bytes::Bytes| {
        let turned_away = !seen.swap(true, std::sync::atomic::Ordering::SeqCst);
        let _ = tell.send((headers, body));
        async move { if turned_away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK } }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(hook));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio_util::task::TaskTracker::new().spawn(async move { axum::serve(listener, router).await });

    let (clock, hand) = Clock::manual(NOW);
    let pace = Pace::After(TimeDelta::seconds(2));
    let options = Options { clock, entropy: Entropy::seeded(3), pace, deliver: true };
    let (fake, listening) = FakeReplicate::bind("127.0.0.1:0".parse().unwrap(), options).await.unwrap();
    let _running = super::providers_stage::run(listening);
    let scene = super::providers_stage::replicate_at(&fake);
    let mut job = scene.job();
    job.webhook = Some(Url::parse(&url).unwrap());
    let submitted = scene.put(&job).await.unwrap();
    hand.advance(TimeDelta::seconds(3));
    let (first, second) = (told.recv().await.unwrap(), told.recv().await.unwrap());
    assert_eq!(first.1, second.1);
    let callback = scene.provider.verify(&second.0, &second.1, &scene.log).await.unwrap();
    assert_eq!(callback.id, submitted.handle.id);
    let again = scene.provider.verify(&first.0, &first.1, &scene.log).await.unwrap();
    assert_eq!(again, callback, "the same delivery, to be done once");
}

#[tokio::test]
async fn no_prompt_token_or_picture_shows_anywhere() {
    let scene = replicate(Pace::Polls(0)).await;
    let job = large(&scene);
    let intent = scene.provider.prepare(&job).unwrap();
    let submitted = scene.provider.submit(&intent, &job, &scene.log).await.unwrap();
    let mut handle = submitted.handle.clone();
    let output = scene.provider.result(&mut handle, 4, &scene.log).await.unwrap();
    let records = serde_json::to_string(&scene.log.take()).unwrap();
    let stored = serde_json::to_string(&(&intent, &handle)).unwrap();
    let shown =
        format!("{job:?} {intent:?} {submitted:?} {output:?} {records} {stored} {:?}", scene.provider);
    for canary in ["canary", "r8_fake", "whsec_", "base64"] {
        assert!(!shown.contains(canary), "{canary}");
    }
    assert!(!records.contains(&handle.id), "no ids in records");
}
