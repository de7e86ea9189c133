//! Native actions, for the tests of how the server runs them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;
use weir_db::native::NativeFunctions;
use weir_db::{
    ActionCall, Body, BodyError, CallError, DbError, FunctionError, FunctionKind, HostFuture, HttpRequest,
    HttpResponse, LogLevel, Redirect, RoutePath,
};
use weir_value::Value;

type Running = HostFuture<Result<Value, FunctionError>>;

pub fn actions(functions: NativeFunctions) -> NativeFunctions {
    http_actions(plain_actions(functions))
}

fn plain_actions(functions: NativeFunctions) -> NativeFunctions {
    functions
        .action("act:relay", |action, args| {
            Box::pin(async move {
                action.log(LogLevel::Log, "'relaying'");
                let sent = action.call(FunctionKind::Mutation, "chat:send", json_of(&args));
                sent.await.map_err(failed)?;
                let all = action.call(FunctionKind::Query, "chat:all", empty()).await;
                Ok(Value::from_json(&all.map_err(failed)?).unwrap())
            })
        })
        .action("act:call", |action, args| {
            let path = text(&args, "path");
            Box::pin(async move {
                let kind = FunctionKind::parse(&text(&args, "kind")).unwrap();
                let result = action.call(kind, &path, empty()).await.map_err(failed)?;
                Ok(Value::from_json(&result).unwrap())
            })
        })
        .action("act:recurse", |action, _| {
            Box::pin(async move {
                let again = action.call(FunctionKind::Action, "act:recurse", empty());
                again.await.map_err(failed).map(|_| Value::Null)
            })
        })
        .action("act:sleep", |action, args| {
            let time = Duration::from_millis(text(&args, "ms").parse().unwrap());
            Box::pin(async move {
                action.host().sleep(time).await;
                Ok(Value::Null)
            })
        })
        .action("act:later", |action, _| {
            Box::pin(async move {
                let (_, ts) = action.write(|tx| tx.schedule("chat:send", br#"{"body":"later"}"#, 0.0))?;
                action.host().durable(ts).await;
                Ok(Value::Null)
            })
        })
        .action("act:many", |action, args| {
            let count: usize = text(&args, "count").parse().unwrap();
            Box::pin(async move {
                action.write(|tx| {
                    (0..count).try_for_each(|_| {
                        tx.schedule("chat:send", br#"{"body":"one of many"}"#, 0.0).map(drop)
                    })
                })?;
                Ok(Value::Null)
            })
        })
        .action("act:hash", |action, _| {
            Box::pin(async move {
                let hash = action.with_password(|tx| tx.hash_password("correct horse")).await?;
                let is_it =
                    action.with_password(move |tx| tx.verify_password("correct horse", &hash)).await?;
                Ok(Value::Boolean(is_it))
            })
        })
        .action("act:who", |action, _| {
            let who =
                action.identity().map_or(Value::Null, |who| Value::from(who.token_identifier().to_owned()));
            Box::pin(async { Ok(who) })
        })
        .action("act:fetch", |action, args| Box::pin(fetch(action, text(&args, "url"))))
        .action("act:fail", |_, _| Box::pin(async { Err(application("no way")) }))
        .action("act:panic", |_, _| Box::pin(async { panic!("a bug of the host") }))
}

fn http_actions(functions: NativeFunctions) -> NativeFunctions {
    functions
        .http_action("GET", exact("/hello"), "web:hello", |action, args| {
            let body = Body::Whole(args.to_json().into());
            answer(&action, 200, &[("x-one", "1"), ("content-length", "7")], body)
        })
        .http_action("POST", exact("/echo"), "web:echo", |action, _| {
            let body = action.take_request_body().map_or(Body::Empty, Body::Stream);
            answer(&action, 201, &[], body)
        })
        .http_action("GET", RoutePath::Prefix("/events/".into()), "web:events", |action, _| {
            let pieces = stream::iter(["one ", "two "]).then(|piece| async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(Bytes::from(piece))
            });
            answer(&action, 200, &[], Body::Stream(Box::pin(pieces)))
        })
        .http_action("GET", exact("/broken"), "web:broken", |action, _| {
            let broken = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(BodyError("it failed".into()))
            };
            let pieces = stream::iter([Ok(Bytes::from("half "))]).chain(stream::once(broken));
            answer(&action, 200, &[], Body::Stream(Box::pin(pieces)))
        })
        .http_action("GET", exact("/fail"), "web:fail", |_, _| {
            Box::pin(async { Err(application("no page")) })
        })
        .http_action("GET", exact("/silent"), "web:silent", |_, _| Box::pin(async { Ok(Value::Null) }))
        .http_action("GET", exact("/who"), "web:who", |action, _| {
            let who = action.identity().map_or("nobody".to_owned(), |who| who.token_identifier().to_owned());
            answer(&action, 200, &[], Body::Whole(who.into()))
        })
}

async fn fetch(action: Arc<ActionCall>, url: String) -> Result<Value, FunctionError> {
    let request = HttpRequest {
        method: "GET".into(),
        url,
        headers: Vec::new(),
        body: Body::Empty,
        redirect: Redirect::Follow,
    };
    let response = action.host().send(request).await?;
    let Body::Stream(body) = response.body else { panic!("a body to be read") };
    let (sender, receiver) = oneshot::channel();
    // As a task of a guest.
    let reading = action.host().spawn(Box::pin(async move {
        let pieces: Vec<_> = body.map(Result::unwrap).collect().await;
        let _ = sender.send(String::from_utf8(pieces.concat()).unwrap());
    }));
    let text = receiver.await.unwrap();
    drop(reading);
    Ok(Value::from(format!("{} {text}", response.status)))
}

fn answer(action: &Arc<ActionCall>, status: u16, headers: &[(&str, &str)], body: Body) -> Running {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let response = HttpResponse { status, url: String::new(), redirected: false, headers, body };
    let begun = action.respond(response);
    Box::pin(async move {
        begun?;
        Ok(Value::Null)
    })
}

fn exact(path: &str) -> RoutePath {
    RoutePath::Exact(path.to_owned())
}

fn empty() -> Bytes {
    Bytes::from_static(b"{}")
}

fn json_of(args: &Value) -> Bytes {
    args.to_json_bytes().into()
}

fn text(args: &Value, name: &str) -> String {
    args.as_object().and_then(|args| args.get(name)).and_then(Value::as_str).unwrap().to_owned()
}

fn failed(error: CallError) -> FunctionError {
    DbError::new(error.code, error.message).into()
}

fn application(message: &str) -> FunctionError {
    FunctionError::Application { message: message.to_owned(), data: None }
}
