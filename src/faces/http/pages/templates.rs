//! The static pages: rendered without any data of a request.

use std::collections::HashMap;
use std::io::{self, Write as _};

use actix_web::web::Bytes;
use askama::Template;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::assets::sha256;
use super::{Assets, BundleError, Forms};

macro_rules! pages {
    ($($name:ident $file:literal at $path:literal,)+) => {
        $(#[derive(Template)]
        #[template(path = $file)]
        struct $name<'a> { assets: &'a Assets })+

        /// Renders every page.
        pub(super) fn render_all(
            assets: &Assets,
        ) -> Result<HashMap<&'static str, Forms>, BundleError> {
            Ok(HashMap::from([$(($path, forms($name { assets }.render()?)?)),+]))
        }
    };
}

/// A page as it is and packed: it is public, and the same for everybody.
fn forms(page: String) -> Result<Forms, BundleError> {
    let hash = sha256(page.as_bytes());
    let packed = gzip(page.as_bytes()).map_err(BundleError::Pack)?;
    let mut forms = Forms::plain(Bytes::from(page), &hash);
    forms.add("gzip", Bytes::from(packed), &hash);
    Ok(forms)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}

pages! {
    Landing "landing.html" at "/",
    Register "register.html" at "/register",
    Recover "recover.html" at "/recover",
    Chat "chat.html" at "/chat",
    SettingsPage "settings.html" at "/settings",
    SetupPage "setup.html" at "/setup",
    Invite "invite.html" at "/i",
}
