//! The OpenAPI document, made from the table of routes and the schemas of [`api`].

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use crate::routes::{Body, Endpoint, TABLE};

/// Returns the document.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// Makes the document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in TABLE {
        // A pattern such as {path:.*} is written {path} in OpenAPI.
        let path = endpoint.path.replace(":.*", "");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[endpoint.method.to_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Secure Messaging",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": api::schema::all(),
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-session",
                    "description": "Named `session` where the server is reached by plain HTTP on \
                                    its own machine.",
                }
            },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": {
            "default": {
                "description": "A problem document (RFC 9457)",
                "content": {"application/problem+json": {"schema": reference("Problem")}},
            },
        },
    });
    if let Some(permission) = endpoint.permission {
        operation["security"] = json!([{"session": []}]);
        operation["x-permission"] = permission.name().into();
    }
    if let Some(input) = &endpoint.input {
        operation["requestBody"] = json!({"content": content(input)});
    }
    operation["responses"]["2XX"] = match &endpoint.output {
        Some(output) => json!({"description": "Done", "content": content(output)}),
        None => json!({"description": "Done"}),
    };
    operation
}

/// Describes what goes into an address: parts of its path, then its query.
fn parameters(endpoint: &Endpoint) -> Value {
    let names = endpoint.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.trim_end_matches(":.*"))
    });
    let in_path = names.map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let query = endpoint.query.map(|schema| json!(schema()));
    let query = query.unwrap_or_default();
    let required = |name: &str| {
        let names = query["required"].as_array();
        names.is_some_and(|names| names.iter().any(|other| other == name))
    };
    let fields = query["properties"].as_object().into_iter().flatten();
    let in_query = fields.map(|(name, schema)| {
        json!({"name": name, "in": "query", "required": required(name), "schema": schema})
    });
    in_path.chain(in_query).collect()
}

fn content(body: &Body) -> Value {
    let schema = match body.schema {
        Some(name) if body.list => json!({"type": "array", "items": reference(&name())}),
        Some(name) => reference(&name()),
        None => json!({"type": "string"}),
    };
    json!({ body.media_type: {"schema": schema} })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
