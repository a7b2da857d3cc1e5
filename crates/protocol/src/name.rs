//! Names that people choose: handles, by which they are found, and aliases, which others see.
//!
//! Page, core and server share these rules. What of a handle needs tables of scripts and lookalikes, the
//! server decides, and the page asks it at the field.
//!
//! Specification: `docs/protocol/accounts.md#names`.

use crate::normal::form_c;

/// Longest handle in characters.
pub const HANDLE_CHARS: usize = 32;
/// Longest alias in characters.
pub const ALIAS_CHARS: usize = 64;
/// The longest text that is normalized, in characters; a longer one is refused or cut before the work.
const LOOKED_AT: usize = 4 * ALIAS_CHARS;

/// Why a handle is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Empty or too long.
    #[error("A handle has 1 to {max} characters. Choose another one.", max = HANDLE_CHARS)]
    Length,
    /// A character that handles do not have.
    #[error("A handle has letters, digits, dots, dashes and underscores only. Choose another one.")]
    Character,
    /// Letters of several scripts, or of another script that look like Latin ones.
    #[error("This handle could be taken for another one. Write it in the letters of one script.")]
    Lookalike,
}

/// Why an alias is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// Empty or too long.
    #[error("A name has 1 to {max} characters.", max = ALIAS_CHARS)]
    Length,
    /// A character that nobody sees, or that turns the text around it.
    #[error("This name has a hidden character, as copied text often does. Type it by hand.")]
    Character,
}

/// A handle without the spaces and the `@` that people type around it.
pub fn bare_handle(typed: &str) -> &str {
    typed.trim().trim_start_matches('@')
}

/// Checks length and characters of a handle; marks and joiners beyond ASCII are left to the server.
pub fn check_handle(handle: &str) -> Result<(), HandleError> {
    let length = handle.chars().take(HANDLE_CHARS + 1).count();
    if length == 0 || length > HANDLE_CHARS {
        return Err(HandleError::Length);
    }
    // Some fillers are letters to Unicode, and nobody sees them.
    let fits = |c: char| match kind(c) {
        Kind::Visible => !c.is_ascii() || c.is_ascii_alphanumeric() || ".-_".contains(c),
        Kind::Joining => true,
        Kind::Space | Kind::Hidden => false,
    };
    if handle.chars().all(fits) && handle.chars().any(char::is_alphanumeric) {
        Ok(())
    } else {
        Err(HandleError::Character)
    }
}

/// An alias as it is kept: in normalization form C, with single spaces and none at the ends.
///
/// Joiners are letters' and emoji's business and stay where they join something.
pub fn alias(typed: &str) -> Result<String, AliasError> {
    if typed.chars().take(LOOKED_AT + 1).count() > LOOKED_AT {
        return Err(AliasError::Length);
    }
    let (alias, hidden) = tidy(typed);
    if hidden {
        return Err(AliasError::Character);
    }
    match alias.chars().count() {
        1..=ALIAS_CHARS => Ok(alias),
        _ => Err(AliasError::Length),
    }
}

/// An alias of somebody else as it is shown: without what [`alias`] refuses, cut to its length.
pub fn shown(alias: &str) -> String {
    let looked_at: String = alias.chars().take(LOOKED_AT).collect();
    tidy(&looked_at).0.chars().take(ALIAS_CHARS).collect()
}

/// What a character does to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Visible,
    Space,
    /// Changes the look of what stands before it, or joins it to what follows.
    Joining,
    /// Seen by nobody, or turns the direction of others.
    Hidden,
}

fn kind(c: char) -> Kind {
    match c {
        '\u{2028}' | '\u{2029}' => Kind::Hidden,
        _ if c.is_whitespace() => Kind::Space,
        _ if c.is_control() => Kind::Hidden,
        // Joiners, variation selectors, and the tags that flags are spelt with.
        '\u{200c}'
        | '\u{200d}'
        | '\u{180b}'..='\u{180d}'
        | '\u{180f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0020}'..='\u{e007f}'
        | '\u{e0100}'..='\u{e01ef}' => Kind::Joining,
        // Soft hyphens and fillers, marks and overrides of direction, format characters.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Kind::Hidden,
        // Private use, and what is no character.
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10ffff}' => {
            Kind::Hidden
        }
        _ if u32::from(c) & 0xfffe == 0xfffe => Kind::Hidden,
        _ => Kind::Visible,
    }
}

/// The text without hidden characters, and whether there were any.
fn tidy(typed: &str) -> (String, bool) {
    let mut tidy = String::with_capacity(typed.len());
    let mut hidden = false;
    let mut space = false;
    for c in form_c(typed).chars() {
        match kind(c) {
            Kind::Space => space = !tidy.is_empty(),
            Kind::Hidden => hidden = true,
            // After nothing it joins nothing; twice it joins no more than once.
            Kind::Joining if tidy.is_empty() || space => {}
            Kind::Joining if JOINERS.contains(&c) && tidy.ends_with(c) => {}
            Kind::Joining => tidy.push(c),
            Kind::Visible => {
                if core::mem::take(&mut space) {
                    tidy.truncate(tidy.trim_end_matches(JOINERS).len());
                    tidy.push(' ');
                }
                tidy.push(c);
            }
        }
    }
    tidy.truncate(tidy.trim_end_matches(JOINERS).len());
    (tidy, hidden)
}

/// What joins letters; at the end of a word there is nothing to join.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
