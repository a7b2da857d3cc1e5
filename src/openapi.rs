//! Generates the OpenAPI document from the table of routes.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use crate::http::ProblemBody;
use crate::routes::{Access, Body, Endpoint, TABLE};

/// Returns the document.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// Makes the document.
pub fn document() -> Value {
    let mut schemas = Map::new();
    let problem = ProblemBody::example_schema();
    schemas.insert("Problem".to_owned(), problem);
    let mut paths = Map::new();
    for endpoint in TABLE {
        // A pattern such as {path:.*} is written {path} in OpenAPI.
        let path = endpoint.path.replace(":.*", "");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[endpoint.method.to_lowercase()] = operation(endpoint, &mut schemas);
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
            "schemas": schemas,
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

fn operation(endpoint: &Endpoint, schemas: &mut Map<String, Value>) -> Value {
    let mut operation = json!({
        "summary": endpoint.summary,
        "parameters": parameters(endpoint.path),
        "responses": {
            "default": {
                "description": "A problem document (RFC 9457)",
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                }},
            },
        },
    });
    if endpoint.access != Access::Public {
        operation["security"] = json!([{"session": []}]);
    }
    if let Some(input) = &endpoint.input {
        operation["requestBody"] = json!({"content": content(input, schemas)});
    }
    operation["responses"]["2XX"] = match &endpoint.output {
        Some(output) => json!({"description": "Done", "content": content(output, schemas)}),
        None => json!({"description": "Done"}),
    };
    operation
}

fn parameters(path: &str) -> Value {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name.trim_end_matches(":.*"),
                "in": "path",
                "required": true,
                "schema": {"type": "string"},
            })
        })
        .collect()
}

fn content(body: &Body, schemas: &mut Map<String, Value>) -> Value {
    let schema = match body.schema {
        Some(make) => {
            let (schema, referred) = make();
            for (name, schema) in referred {
                schemas.insert(name, json!(schema));
            }
            json!(schema)
        }
        None => json!({"type": "string"}),
    };
    json!({ body.media_type: {"schema": schema} })
}

impl ProblemBody {
    fn example_schema() -> Value {
        use utoipa::PartialSchema;
        json!(Self::schema())
    }
}
