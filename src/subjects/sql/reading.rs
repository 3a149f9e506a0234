use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const SET_LOCALE: &str = "UPDATE subject SET locale = $1 WHERE tenant = $2 AND id = $3 AND state = 'active'";

pub(in crate::subjects) async fn set_locale(tx: &mut Tx, owner: &Owner, tag: &str) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(SET_LOCALE)
        .bind(tag)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}
