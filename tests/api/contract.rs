//! The contract that is committed is the one that the types say.

use std::collections::BTreeSet;
use std::path::Path;

use secure_messaging::faces::http::openapi;
use serde_json::Value;

/// Set, the files are written anew instead of compared.
const WRITE: &str = "SECURE_MESSAGING_WRITE_CONTRACT";

#[test]
fn the_generated_contract_is_the_committed_one() {
    let document = serde_json::to_string_pretty(&openapi::document()).unwrap() + "\n";
    let declarations = api::typescript::declarations();
    for (file, made) in [
        ("docs/openapi.json", document),
        ("static/js/api.d.ts", declarations),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == made,
            "{file} is not what the types say: run this test once with {WRITE}=1 and commit what it wrote"
        );
    }
}

#[test]
fn every_reference_of_the_document_leads_to_a_schema_that_the_browser_has_too() {
    let document = openapi::document();
    let declarations = api::typescript::declarations();
    let mut names = BTreeSet::new();
    collect(&document, &mut names);
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert!(
            document["components"]["schemas"][&name].is_object(),
            "{name} is referred to and not described"
        );
        let declared = ["interface", "type"]
            .iter()
            .any(|kind| declarations.contains(&format!("export {kind} {name} ")));
        assert!(declared, "{name} is not declared");
    }
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value.as_str() {
                    Some(reference) if key == "$ref" => {
                        names.insert(reference.rsplit('/').next().unwrap().to_owned());
                    }
                    _ => collect(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}
