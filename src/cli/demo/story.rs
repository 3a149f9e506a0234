use super::Options;
use super::stage::Stage;
use super::tell::{CutShort, Telling};
use super::{cast, erase, keys, photos, pictures, proofs, rights, take_home};
use crate::requests::Ask;

/// The steps, in order.
pub(super) async fn tell(
    stage: &Stage,
    options: &Options,
    telling: &mut Telling<'_>,
) -> Result<(), CutShort> {
    let first = telling.step("Both policies are published", cast::publish(stage)).await?;
    let people = telling.step("Three people sign up", cast::sign_up(stage)).await?;
    telling.step("A agrees to something", cast::consent(stage, &people)).await?;
    let uploads = telling.step("Photographs are uploaded", pictures::upload(stage, &people)).await?;
    let results =
        telling.step("They are edited, with Pro and with Max", pictures::edit(stage, &uploads)).await?;
    if stage.stand_in.is_some() {
        telling.step("The provider lets go of it", pictures::let_go(stage, &people)).await?;
    }
    telling.step("Who may look, and who may not", pictures::view(stage, &people, &results)).await?;
    telling.step("The uploads are gone in time", pictures::uploads_go(stage, &people, &uploads)).await?;
    if let Some(folder) = &options.photos {
        telling.step("Your photographs are tried", photos::try_all(stage, &people.a, folder)).await?;
    }
    telling
        .step("A asks for everything, and takes it home", take_home::ask(stage, &people.a, Ask::Access))
        .await?;
    telling
        .step("C does the same, at the other service", take_home::ask(stage, &people.c, Ask::Portability))
        .await?;
    telling.step("A corrects their name", rights::correct(stage, &people)).await?;
    let withdrawn =
        telling.step("A takes the consent back", rights::withdraw(stage, &people, &results)).await?;
    telling.step("B restricts, and lifts it", rights::restrict(stage, &people)).await?;
    telling.step("C objects", rights::object(stage, &people)).await?;
    let copy = telling.step("Somebody copies the keystore", async { keys::copied(stage) }).await?;
    let erased = telling.step("A is erased", erase::erase(stage, &people, &results)).await?;
    telling.step("A is looked for in every byte", erase::look(stage, &people, options)).await?;
    telling.step("What is left of A, and of B and C", erase::after(stage, &people, &results)).await?;
    let receipts = [("consent-taken-back", withdrawn), ("erasure", erased)];
    telling.step("The receipts are checked, without us", proofs::receipts(stage, &receipts)).await?;
    telling.step("The old copy of the keystore", keys::outlived(stage, &people, &copy, &results)).await?;
    telling.step("The ledger is checked, without us", proofs::ledger(stage, &first)).await
}
