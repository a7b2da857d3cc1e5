//! Vectors that are another one with one field changed.

use serde_json::{Value, json};

use super::fields::{Fields, find};

/// The changed vector, or `None` where the vector stands for itself.
pub(super) fn resolve(vector: &Value, all: &[Value]) -> Result<Option<Value>, String> {
    let fields = Fields::new(vector, all);
    if !fields.has("from") {
        return Ok(None);
    }
    let from = fields.text("from")?;
    let original = find(all, from).ok_or_else(|| format!("there is no vector {from}"))?;
    let name = fields.text("field")?;
    let mut changed = original.clone();
    let object = changed.as_object_mut().ok_or("a vector is an object")?;
    for key in ["id", "result", "error"] {
        if let Some(value) = vector.get(key) {
            object.insert(key.to_owned(), value.clone());
        }
    }
    let value = match fields.text("op")? {
        "replace" => vector.get("value").cloned().ok_or("no value")?,
        op => {
            let bytes = Fields::new(original, all).bytes(name)?;
            json!(hex::encode(change(bytes, op, vector)?))
        }
    };
    object.insert(name.to_owned(), value);
    Ok(Some(changed))
}

fn change(mut bytes: Vec<u8>, op: &str, vector: &Value) -> Result<Vec<u8>, String> {
    let at = vector.get("at").and_then(Value::as_i64).unwrap_or(0);
    let at = usize::try_from(at)
        .ok()
        .or_else(|| bytes.len().checked_add_signed(isize::try_from(at).ok()?));
    let byte = at.and_then(|at| bytes.get_mut(at));
    match op {
        "flip" => *byte.ok_or("no such byte")? ^= 1,
        "set" => {
            let value = vector.get("value").and_then(Value::as_u64);
            *byte.ok_or("no such byte")? = value
                .and_then(|value| u8::try_from(value).ok())
                .ok_or("no such value")?;
        }
        "shorten" => {
            bytes.pop().ok_or("nothing to shorten")?;
        }
        "lengthen" => bytes.push(0),
        other => return Err(format!("unknown change {other}")),
    }
    Ok(bytes)
}
