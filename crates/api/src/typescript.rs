//! The types of everything that is sent, as the browser's code is checked with them.

use std::fmt::Write;

use serde_json::Value;

use crate::schema;

/// Stands above what is written.
const HEAD: &str = "\
// What server and clients send each other: bodies, frames, error codes and names.
// Made from the types of crates/api; tests/api/contract.rs compares it and says how to write it anew.
";

/// Writes a TypeScript declaration of every schema, in the order of their names.
pub fn declarations() -> String {
    let mut out = HEAD.to_owned();
    for (name, schema) in schema::all() {
        out.push('\n');
        comment(&mut out, "", &schema);
        let is_record = schema["properties"].is_object();
        // Writing to a text does not fail.
        let _ = match is_record {
            true => writeln!(out, "export interface {name} {}", type_of(&schema, "")),
            false => writeln!(out, "export type {name} = {};", type_of(&schema, "")),
        };
    }
    out
}

fn comment(out: &mut String, indent: &str, schema: &Value) {
    let Some(text) = schema["description"].as_str() else {
        return;
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let _ = match lines.as_slice() {
        [line] => writeln!(out, "{indent}/** {line} */"),
        lines => {
            let text = lines.join(&format!("\n{indent} * "));
            writeln!(out, "{indent}/**\n{indent} * {text}\n{indent} */")
        }
    };
}

/// Writes what a schema describes as a TypeScript type.
fn type_of(schema: &Value, indent: &str) -> String {
    let of_all = |members: &Value, between: &str| {
        let types = members.as_array().into_iter().flatten();
        let types: Vec<String> = types.map(|member| type_of(member, indent)).collect();
        types.join(between)
    };
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for (key, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if schema[key].is_array() {
            return of_all(&schema[key], between);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let names: Vec<String> = values.iter().map(Value::to_string).collect();
        return names.join(" | ").replace('"', "'");
    }
    match &schema["type"] {
        Value::Array(kinds) => {
            let types: Vec<String> = kinds.iter().map(|kind| one(schema, kind, indent)).collect();
            types.join(" | ")
        }
        kind => one(schema, kind, indent),
    }
}

/// Writes a type of which the kind is known.
fn one(schema: &Value, kind: &Value, indent: &str) -> String {
    match kind.as_str() {
        Some("integer" | "number") => "number".to_owned(),
        Some("array") => format!("Array<{}>", type_of(&schema["items"], indent)),
        Some("object") => record(schema, indent),
        Some(kind) => kind.to_owned(),
        None => "unknown".to_owned(),
    }
}

fn record(schema: &Value, indent: &str) -> String {
    let Some(properties) = schema["properties"].as_object() else {
        return "Record<string, unknown>".to_owned();
    };
    let required = schema["required"].as_array();
    let deeper = format!("{indent}  ");
    let mut out = "{\n".to_owned();
    for (name, property) in properties {
        comment(&mut out, &deeper, property);
        let is_there = required.is_some_and(|names| names.iter().any(|one| one == name));
        let optional = if is_there { "" } else { "?" };
        let kind = type_of(property, &deeper);
        let _ = writeln!(out, "{deeper}{name}{optional}: {kind};");
    }
    out.push_str(indent);
    out.push('}');
    out
}
