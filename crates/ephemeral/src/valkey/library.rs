//! The functions that run at a node, as one library.

use sha3::{Digest, Sha3_256};

const PARTS: [&str; 9] = [
    include_str!("lua/base.lua"),
    include_str!("lua/message.lua"),
    include_str!("lua/ledger.lua"),
    include_str!("lua/post.lua"),
    include_str!("lua/lease.lua"),
    include_str!("lua/look.lua"),
    include_str!("lua/presence.lua"),
    include_str!("lua/small.lua"),
    include_str!("lua/register.lua"),
];

/// The source, and the name under which it is loaded.
pub(super) struct Library {
    pub(super) name: String,
    pub(super) source: String,
}

impl Library {
    /// Joins the parts. The name has a hash of them, so that servers of two versions each find their own
    /// functions while one replaces the other.
    pub(super) fn new() -> Self {
        let body = PARTS.concat();
        let hash: [u8; 32] = Sha3_256::digest(&body).into();
        let digits: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("sm_{digits}");
        let mut source = format!("#!lua name={name}\n{body}");
        for operation in operations(&body) {
            source.push_str(&format!(
                "redis.register_function{{function_name='{name}_{operation}', \
                 callback=entry(OPS.{operation}), flags={{'allow-oom'}}}}\n"
            ));
        }
        Self { name, source }
    }

    /// The full name of a function.
    pub(super) fn function(&self, operation: &str) -> String {
        format!("{}_{operation}", self.name)
    }
}

/// Names the operations that the source has.
fn operations(body: &str) -> impl Iterator<Item = &str> {
    let lines = body.lines();
    lines.filter_map(|line| line.strip_prefix("function OPS.")?.split('(').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_registered_under_a_name_of_this_version() {
        let library = Library::new();
        assert_eq!(operations(&PARTS.concat()).count(), 46);
        for operation in ["commit", "lease", "leave_plane"] {
            let named = format!("function_name='{}'", library.function(operation));
            assert!(library.source.contains(&named), "{operation}");
        }
        assert!(library.source.starts_with("#!lua name=sm_"));
    }
}
