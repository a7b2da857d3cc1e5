//! The static pages: rendered without any data of a request.

use std::collections::HashMap;

use actix_web::web::Bytes;
use askama::Template;

use super::{Assets, BundleError};

macro_rules! pages {
    ($($name:ident $file:literal at $path:literal,)+) => {
        $(#[derive(Template)]
        #[template(path = $file)]
        struct $name<'a> { assets: &'a Assets })+

        /// Renders every page.
        pub(super) fn render_all(
            assets: &Assets,
        ) -> Result<HashMap<&'static str, Bytes>, BundleError> {
            Ok(HashMap::from([$(($path, Bytes::from($name { assets }.render()?))),+]))
        }
    };
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
