//! Native functions that store files, for the tests of how the server does.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use weir_db::native::NativeFunctions;
use weir_db::{ActionCall, Body, BodyError, DbError, FileToStore, FunctionError, parse_sha256};
use weir_value::Value;

pub fn storage(functions: NativeFunctions) -> NativeFunctions {
    functions
        .mutation("files:url", |tx, _| Ok(Value::from(tx.generate_upload_url()?)))
        .query("files:list", |tx, _| {
            let page = tx.query(br#"{"table":"_storage"}"#, 1000)?;
            Ok(Value::from_json(&page.documents).unwrap())
        })
        .query("files:get", |tx, args| Ok(tx.file_url(&text(args, "id"))?.map_or(Value::Null, Value::from)))
        .mutation("files:delete", |tx, args| {
            tx.delete_file(&text(args, "id"))?;
            Ok(Value::Null)
        })
        .action("files:store", |action, args| Box::pin(store(action, args)))
        .action("files:read", |action, args| Box::pin(read(action, args)))
}

/// Stores `text`, twice if `twice`, broken off if `broken`.
async fn store(action: Arc<ActionCall>, args: Value) -> Result<Value, FunctionError> {
    let (content, broken) = (text(&args, "text"), text(&args, "broken"));
    let body: Vec<Result<_, BodyError>> = match broken.as_str() {
        "" => vec![Ok(content.into())],
        reason => vec![Ok(content.into()), Err(BodyError(reason.to_owned()))],
    };
    let sha256 = Some(text(&args, "sha256")).filter(|text| !text.is_empty());
    let file = FileToStore {
        body: Body::Stream(Box::pin(stream::iter(body))),
        content_type: Some("text/plain".to_owned()),
        sha256: sha256.map(|text| parse_sha256(&text)).transpose()?,
        namespace: action.namespace(),
    };
    Ok(Value::from(action.host().store_file(file).await?.to_string()))
}

async fn read(action: Arc<ActionCall>, args: Value) -> Result<Value, FunctionError> {
    let id = text(&args, "id");
    let Some(file) = action.look(|tx| tx.stored_file(&id))? else { return Ok(Value::Null) };
    let mut body = action.host().read_file(file).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(
            &piece.map_err(|error| DbError::new(weir_value::ErrorCode::BodyBroken, error.0))?,
        );
    }
    Ok(Value::from(String::from_utf8(bytes).unwrap()))
}

fn text(args: &Value, name: &str) -> String {
    let args = args.as_object().unwrap();
    args.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
