//! Replicate through its stand-in: each trap that its protocol holds.

use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::egress::Url;
use vouchsafe::fakes::{At, FakeReplicate, Fault, Pace, Plan};
use vouchsafe::imaging::Format;
use vouchsafe::providers::{
    Aspect, Cancelled, Erasure, Failure, Forgery, Handle, Input, Job, Model, Params, Proof, ProviderError,
    Reconciled, State, Submitted,
};

use super::providers_stage::{NOW, Stage, headers, picture, replicate, replicate_with, secret};

impl Stage<FakeReplicate> {
    async fn put(&self, job: &Job) -> Result<Submitted, ProviderError> {
        let intent = self.provider.prepare(job)?;
        self.provider.submit(&intent, job, &self.log).await
    }

    /// Puts a job and polls until it has ended.
    async fn ended(&self, job: &Job) -> (Handle, State) {
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

    fn is_clean(&self) {
        assert_eq!(self.fake.complaints(), [""; 0]);
        assert_eq!(self.fake.held(), [""; 0]);
    }
}

#[tokio::test]
async fn an_edit_goes_in_comes_out_and_is_seen_to_be_removed() {
    let stage = replicate(Pace::Polls(2)).await;
    let Submitted { mut handle, state } = stage.put(&stage.job()).await.unwrap();
    assert_eq!(state, State::Queued(None), "that waiting ended first is no failure");
    let mut states = Vec::new();
    while !states.last().is_some_and(|s: &State| s.is_final()) {
        states.push(stage.provider.poll(&handle, &stage.log).await.unwrap());
    }
    assert_eq!(states, [State::Queued(None), State::Running, State::Done]);
    let output = stage.provider.result(&mut handle, &stage.log).await.unwrap();
    assert_eq!(output.pictures.len(), 1);
    assert!(image::load_from_memory(&output.pictures[0].bytes).is_ok());

    // There is no call that deletes: it goes after an hour, and that is looked at.
    let waiting = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert_eq!(waiting, Erasure::Waiting { until: NOW.plus(TimeDelta::minutes(62)) });
    assert!(!stage.fake.held().is_empty(), "a control: it is still there");
    stage.minutes(62);
    let erased = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::DataRemoved, Proof::OutputGone]));
    stage.is_clean();
    assert_eq!((stage.fake.charges(), stage.fake.uploads()), (1, 0));
}

#[tokio::test]
async fn a_create_that_waits_gives_the_result_at_once() {
    let stage = replicate(Pace::Polls(0)).await;
    let submitted = stage.put(&stage.job()).await.unwrap();
    assert_eq!(submitted.state, State::Done);
}

#[tokio::test]
async fn what_is_sent_is_what_the_model_takes_and_no_more() {
    let stage = replicate(Pace::Manual).await;
    let mut job = stage.job();
    job.params = Params {
        seed: Some(42),
        aspect: Aspect::parse("4:5").unwrap(),
        format: Format::Png,
        safety: 2,
        upsample: true,
        ..Params::default()
    };
    stage.put(&job).await.unwrap();
    let mut sent = stage.fake.last_input().unwrap();
    assert!(sent["input_image"].take().as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
    assert_eq!(
        sent,
        json!({
            "prompt": "make it grey, canary-prompt", "input_image": null, "seed": 42, "output_format": "png",
            "safety_tolerance": 2, "prompt_upsampling": true, "aspect_ratio": "4:5",
        })
    );
    let mut two = stage.job();
    two.model = Model::Max;
    two.inputs.push(two.inputs[0].clone());
    stage.put(&two).await.unwrap();
    let sent = stage.fake.last_input().unwrap();
    assert!(sent["input_image_1"].is_string() && sent["input_image_2"].is_string());
    assert_eq!((&sent["aspect_ratio"], &sent["output_format"]), (&json!("match_input_image"), &json!("jpg")));
    assert!(sent.get("prompt_upsampling").is_none());
    assert_eq!(stage.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_model_pinned_to_a_version_goes_the_general_way() {
    let stage = replicate_with(Pace::Polls(0), |c| {
        c.models.pro = "black-forest-labs/flux-kontext-pro:0123abcd".to_owned();
    })
    .await;
    assert_eq!(stage.put(&stage.job()).await.unwrap().state, State::Done);
    let paths: Vec<_> = stage.log.take().iter().map(|r| r.path).collect();
    assert_eq!(paths, ["/predictions"]);
    assert_eq!(stage.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn what_the_model_does_not_take_is_refused_before_anything_is_sent() {
    let stage = replicate(Pace::Manual).await;
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
        let mut job = stage.job();
        change(&mut job);
        assert!(matches!(stage.provider.prepare(&job), Err(ProviderError::Invalid(_))), "{n}");
    }
    assert_eq!(stage.fake.charges(), 0);
}

fn large(stage: &Stage<FakeReplicate>) -> Job {
    let mut job = stage.job();
    job.inputs = vec![Input::Bytes { format: Format::Png, bytes: picture(400, 400) }];
    job
}

#[tokio::test]
async fn a_large_picture_is_uploaded_under_the_pseudonym_and_deleted() {
    let stage = replicate(Pace::Polls(0)).await;
    let job = large(&stage);
    let (handle, state) = stage.ended(&job).await;
    assert_eq!(state, State::Done);
    assert_eq!((stage.fake.uploads(), handle.files.len()), (1, 1));
    let upload = stage.fake.held().into_iter().find(|h| h.starts_with("upload")).unwrap();
    assert!(upload.contains(job.pseudonym.as_str()) && upload.contains("image/png"));
    // The upload goes at once, long before the prediction's data do.
    let waiting = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert!(matches!(waiting, Erasure::Waiting { .. }));
    assert!(stage.fake.held().iter().all(|h| !h.starts_with("upload")));
    stage.minutes(62);
    let erased = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert_eq!(erased, Erasure::Proven(vec![Proof::FileDeleted, Proof::DataRemoved]));
    stage.is_clean();
}

#[tokio::test]
async fn an_upload_does_not_outlive_a_refused_create() {
    let stage = replicate(Pace::Manual).await;
    for fault in [Fault::Status(422), Fault::Status(402), Fault::Busy(1)] {
        stage.fake.fault(At::Submit, fault);
        assert!(stage.put(&large(&stage)).await.unwrap_err().not_taken());
    }
    stage.fake.fault(At::Upload, Fault::LoseAnswer);
    assert_eq!(stage.put(&large(&stage)).await.unwrap_err(), ProviderError::Unavailable);
    assert_eq!(stage.fake.uploads(), 4);
    assert_eq!(stage.fake.charges(), 0);
    stage.is_clean();
}

#[tokio::test]
async fn a_lost_answer_is_reconciled_and_never_sent_again() {
    let stage = replicate(Pace::Manual).await;
    stage.put(&stage.job()).await.unwrap();
    stage.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = large(&stage);
    let intent = stage.provider.prepare(&job).unwrap();
    let lost = stage.provider.submit(&intent, &job, &stage.log).await.unwrap_err();
    assert_eq!(lost, ProviderError::Unknown);
    let Reconciled::Found(handle) = stage.provider.reconcile(&intent, &stage.log).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!((&handle.id, handle.files.len()), (&stage.fake.ids()[1], 1));
    assert_eq!(stage.fake.charges(), 2);
}

#[tokio::test]
async fn another_persons_job_with_the_same_seed_is_not_taken_for_ours() {
    let stage = replicate(Pace::Manual).await;
    let mut theirs = stage.job();
    theirs.params.seed = Some(42);
    stage.put(&theirs).await.unwrap();
    let mut ours = stage.job();
    ours.params.seed = Some(42);
    ours.prompt = secret("something else");
    let intent = stage.provider.prepare(&ours).unwrap();
    assert_eq!(stage.provider.reconcile(&intent, &stage.log).await.unwrap(), Reconciled::Unclear);
    stage.minutes(11);
    assert_eq!(stage.provider.reconcile(&intent, &stage.log).await.unwrap(), Reconciled::Absent);
    // When even a job that ran would show nothing any more, absence proves nothing.
    stage.minutes(60);
    assert_eq!(stage.provider.reconcile(&intent, &stage.log).await.unwrap(), Reconciled::Unclear);
}

#[tokio::test]
async fn a_lost_job_is_found_behind_a_hundred_others() {
    let stage = replicate(Pace::Manual).await;
    stage.fake.fault(At::Submit, Fault::LoseAnswer);
    let job = stage.job();
    let intent = stage.provider.prepare(&job).unwrap();
    assert!(stage.provider.submit(&intent, &job, &stage.log).await.is_err());
    for _ in 0..120 {
        stage.put(&stage.job()).await.unwrap();
    }
    let found = stage.provider.reconcile(&intent, &stage.log).await.unwrap();
    assert!(matches!(found, Reconciled::Found(h) if h.id == stage.fake.ids()[0]));
}

#[tokio::test]
async fn a_failed_create_says_whether_it_may_be_put_again() {
    let stage = replicate(Pace::Manual).await;
    for (fault, error, not_taken) in [
        (Fault::Status(401), ProviderError::Unauthorised, true),
        (Fault::Status(402), ProviderError::Refused(Failure::NoCredit), true),
        (Fault::Status(422), ProviderError::Refused(Failure::BadInput), true),
        (Fault::Status(500), ProviderError::Unknown, false),
        (Fault::Html, ProviderError::Unknown, false),
    ] {
        stage.fake.fault(At::Submit, fault.clone());
        let found = stage.put(&stage.job()).await.unwrap_err();
        assert_eq!((found, found.not_taken()), (error, not_taken), "{fault:?}");
    }
}

#[tokio::test]
async fn a_prediction_that_fails_is_a_failure_whatever_its_text() {
    let stage = replicate(Pace::Polls(1)).await;
    for plan in [Plan::Refuse, Plan::Break] {
        stage.fake.plan(plan);
        let (mut handle, state) = stage.ended(&stage.job()).await;
        assert_eq!(state, State::Failed(Failure::Fault));
        let found = stage.provider.result(&mut handle, &stage.log).await.unwrap_err();
        assert_eq!(found, ProviderError::Refused(Failure::Fault));
    }
}

#[tokio::test]
async fn a_deadline_that_passes_before_the_start_aborts() {
    let stage = replicate(Pace::Manual).await;
    let handle = stage.put(&stage.job()).await.unwrap().handle;
    stage.minutes(6);
    let state = stage.provider.poll(&handle, &stage.log).await.unwrap();
    assert_eq!(state, State::Failed(Failure::TimedOut));
    assert_eq!(stage.fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_cancel_stops_it_or_proves_nothing() {
    let stage = replicate(Pace::Manual).await;
    let handle = stage.put(&stage.job()).await.unwrap().handle;
    assert_eq!(stage.provider.cancel(&handle, &stage.log).await.unwrap(), Cancelled::Requested);
    let state = stage.provider.poll(&handle, &stage.log).await.unwrap();
    assert_eq!(state, State::Failed(Failure::Cancelled));

    stage.fake.plan(Plan::IgnoreCancel);
    let handle = stage.put(&stage.job()).await.unwrap().handle;
    let waiting = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert_eq!(waiting, Erasure::Waiting { until: NOW.plus(TimeDelta::seconds(15)) });
    stage.fake.work();
    assert_eq!(stage.provider.poll(&handle, &stage.log).await.unwrap(), State::Done);
    assert_eq!(stage.provider.cancel(&handle, &stage.log).await.unwrap(), Cancelled::TooLate);
    stage.minutes(63);
    let erased = stage.provider.erase(&handle, None, &stage.log).await.unwrap();
    assert!(matches!(erased, Erasure::Proven(_)));
}

#[tokio::test]
async fn after_an_hour_the_result_is_gone() {
    let stage = replicate(Pace::Polls(0)).await;
    let (mut handle, _) = stage.ended(&stage.job()).await;
    stage.minutes(60);
    assert_eq!(stage.provider.poll(&handle, &stage.log).await.unwrap(), State::Gone);
    assert_eq!(stage.provider.result(&mut handle, &stage.log).await.unwrap_err(), ProviderError::Gone);
}

#[tokio::test]
async fn a_result_that_is_no_picture_is_refused() {
    let stage = replicate_with(Pace::Polls(0), |c| c.at_most = 1 << 20).await;
    for (fault, error) in [
        (Fault::Html, ProviderError::Garbled("result picture")),
        (Fault::Empty, ProviderError::Garbled("result picture")),
        (Fault::Endless, ProviderError::Garbled("size")),
        (Fault::Vast, ProviderError::Garbled("size")),
        (Fault::Redirect("http://169.254.169.254/".to_owned()), ProviderError::Garbled("redirect")),
    ] {
        let (mut handle, _) = stage.ended(&stage.job()).await;
        stage.fake.fault(At::Output, fault.clone());
        assert_eq!(stage.provider.result(&mut handle, &stage.log).await.unwrap_err(), error, "{fault:?}");
        assert_eq!(handle.outputs.len(), 1);
    }
    assert_eq!(stage.fake.complaints(), [""; 0], "no token went to the host of results");
}

#[tokio::test]
async fn a_webhook_is_believed_for_its_signature_alone() {
    let stage = replicate(Pace::Manual).await;
    let mut job = stage.job();
    job.webhook = Some(Url::parse("https://app.example/hooks/n").unwrap());
    let handle = stage.put(&job).await.unwrap().handle;
    stage.put(&job).await.unwrap();
    stage.fake.work();
    let mut deliveries = stage.fake.outbox();
    // Out of order: each tells by itself which job it is about.
    deliveries.reverse();
    let mut found = Vec::new();
    for delivery in &deliveries {
        found.push(stage.provider.verify(&headers(delivery), &delivery.body, &stage.log).await.unwrap());
    }
    assert_eq!(found[1].id, handle.id);
    assert_ne!(found[0].delivery, found[1].delivery);

    let delivery = &deliveries[1];
    let good = headers(delivery);
    let mut body = delivery.body.clone();
    body[10] ^= 1;
    let forged = |error| Err(ProviderError::Forged(error));
    assert_eq!(stage.provider.verify(&good, &body, &stage.log).await, forged(Forgery::Signature));
    let swapped = headers(&deliveries[0]);
    let found = stage.provider.verify(&swapped, &delivery.body, &stage.log).await;
    assert_eq!(found, forged(Forgery::Signature));
    stage.minutes(6);
    assert_eq!(stage.provider.verify(&good, &delivery.body, &stage.log).await, forged(Forgery::Stale));
}

#[tokio::test]
async fn no_prompt_token_or_picture_shows_anywhere() {
    let stage = replicate(Pace::Polls(0)).await;
    let job = large(&stage);
    let intent = stage.provider.prepare(&job).unwrap();
    let submitted = stage.provider.submit(&intent, &job, &stage.log).await.unwrap();
    let mut handle = submitted.handle.clone();
    let output = stage.provider.result(&mut handle, &stage.log).await.unwrap();
    let records = serde_json::to_string(&stage.log.take()).unwrap();
    let stored = serde_json::to_string(&(&intent, &handle)).unwrap();
    let shown =
        format!("{job:?} {intent:?} {submitted:?} {output:?} {records} {stored} {:?}", stage.provider);
    for canary in ["canary", "r8_fake", "whsec_", "base64"] {
        assert!(!shown.contains(canary), "{canary}");
    }
    assert!(!records.contains(&handle.id), "no ids in records");
}
