//! The checks, one function each, by what they look at.

mod access;
mod clocks;
mod consent;
mod egress;
mod house;
mod keys;
mod notices;
mod payments;
mod pictures;
mod register;
mod storage;
mod transport;
mod words;

pub use clocks::SWEEP;
pub(super) use words::looks_at;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use super::{Audit, Error, Outcome};
use crate::base::{Kind, TenantId, Timestamp};
use crate::policy::Policy;

/// What a check is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) audit: &'a Audit,
    pub(super) tenant: &'a TenantId,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    pub(super) round: &'a Round,
}

/// What is the same for every tenant, and therefore found out once a round.
#[derive(Debug, Default)]
pub(super) struct Round {
    ledger: OnceCell<Outcome>,
    keys: OnceCell<Outcome>,
    intake: OnceCell<Outcome>,
    mark: OnceCell<Outcome>,
    forgeries: OnceCell<Outcome>,
}

/// Makes a check. Whatever keeps it from looking becomes an outcome that says so.
pub(super) async fn run(look: &Look<'_>, probe: &str) -> Outcome {
    match by_name(look, probe).await {
        Ok(outcome) => outcome,
        Err(e) => {
            tracing::warn!(tenant = %look.tenant, probe, error = %e, "a check could not be made");
            Outcome::cannot_run(why(&e))
        }
    }
}

/// A fixed phrase: an error's own text is for the log.
fn why(e: &Error) -> &'static str {
    match e.kind() {
        Kind::Unavailable | Kind::Full => "a store did not answer",
        Kind::Forbidden => "the document does not let the program look",
        _ => "the check broke off",
    }
}

type Made<'a> = BoxFuture<'a, Result<Outcome, Error>>;

fn by_name<'a>(look: &'a Look<'a>, probe: &str) -> Made<'a> {
    match probe {
        "ai-marked" => pictures::ai_marked(look).boxed(),
        "backups-erased" => keys::backups_erased(look).boxed(),
        "consent-gates" => consent::consent_gates(look).boxed(),
        "deadlines-kept" => clocks::deadlines_kept(look).boxed(),
        "egress-named-only" => egress::named_only(look).boxed(),
        "https-only" => transport::https_only(look).boxed(),
        "ledger-consistent" => house::ledger_consistent(look).boxed(),
        "logs-clean" => house::logs_clean(look).boxed(),
        "metadata-stripped" => pictures::metadata_stripped(look).boxed(),
        "no-disclosure-unrecorded" => register::none_unrecorded(look).boxed(),
        "no-tracking" => transport::no_tracking(look).boxed(),
        "no-training-unconsented" => consent::no_training(look).boxed(),
        "notices-sent" => notices::sent(look).boxed(),
        "nothing-undeclared" => storage::nothing_undeclared(look).boxed(),
        "outbound-tls" => egress::outbound_tls(look).boxed(),
        "own-images-only" => access::own_images_only(look).boxed(),
        "payment-data-outside" => payments::outside(look).boxed(),
        "provider-copies-removed" => register::copies_removed(look).boxed(),
        "retention-kept" => clocks::retention_kept(look).boxed(),
        "sealed-at-rest" => storage::sealed_at_rest(look).boxed(),
        "self-audit" => house::self_audit(look).boxed(),
        "staff-reads-recorded" => access::staff_reads_recorded(look).boxed(),
        "temporaries-removed" => storage::temporaries_removed(look).boxed(),
        "tokens-verified" => house::tokens_verified(look).boxed(),
        "webhooks-verified" => egress::webhooks_verified(look).boxed(),
        _ => async { Ok(Outcome::cannot_run("the program has no such check")) }.boxed(),
    }
}

#[cfg(test)]
mod tests;
