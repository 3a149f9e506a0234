//! Pages for the eye: set `VOUCHSAFE_RENDER_DIR` to a folder, and tests write theirs there with the stylesheet.

use std::path::Path;

use vouchsafe::web::assets;

/// Writes pages as `<name>.html`, if somebody wants to look at them.
pub(crate) fn write(pages: &[(&str, String)]) {
    let Some(folder) = folder() else { return };
    let folder = Path::new(&folder);
    let assets_folder = folder.join("assets");
    std::fs::create_dir_all(&assets_folder).unwrap();
    for asset in assets::ALL {
        std::fs::write(assets_folder.join(asset.name), asset.body).unwrap();
    }
    for (name, html) in pages {
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that shows pages to a person is told where by its environment"
)]
fn folder() -> Option<String> {
    std::env::var("VOUCHSAFE_RENDER_DIR").ok().filter(|folder| !folder.is_empty())
}
