//! What each kind of failure tells the caller to do.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const SCOPES: &[&str] = &["droplet:update", "image:create"];

fn of(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let received_at = Timestamp::from_second(1_800_000_000).unwrap();
    Error::of_answer(&HttpAnswer { status, headers, body: body.as_bytes().to_vec(), received_at }, SCOPES)
}

fn saying(status: u16, message: &str) -> Error {
    of(status, &[], &json!({ "id": "x", "message": message, "request_id": "4d9d8375-3c56" }).to_string())
}

#[test]
fn each_status_says_what_to_do_next() {
    let throttled = Retry::At(Timestamp::from_second(1_800_000_060).unwrap());
    let expected = [
        (301, Delivery::Ambiguous, Retry::Soon),
        (400, Delivery::Refused, Retry::Never),
        (401, Delivery::Refused, Retry::Never),
        (403, Delivery::Refused, Retry::Never),
        (404, Delivery::Refused, Retry::Never),
        (408, Delivery::Ambiguous, Retry::Soon),
        (422, Delivery::Refused, Retry::Never),
        (429, Delivery::Refused, throttled),
        (500, Delivery::Ambiguous, Retry::Soon),
        (503, Delivery::Ambiguous, Retry::Soon),
        (504, Delivery::Ambiguous, Retry::Soon),
    ];
    for (status, delivery, retry) in expected {
        let error = saying(status, "whatever");
        assert_eq!((error.delivery(), error.retry()), (delivery, retry), "{status}: {error}");
    }
}

#[test]
fn a_pending_event_is_busy_and_had_no_effect() {
    for message in [
        "Droplet already has a pending event.",
        "there are currently blocking events processing on one or more of the Droplets",
    ] {
        let error = saying(422, message);
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        assert_eq!((error.delivery(), error.retry()), (Delivery::Refused, Retry::Soon));
    }
    assert!(matches!(saying(422, "You specified an invalid image for Droplet creation."), Error::Refused { .. }));
}

#[test]
fn only_a_failed_connection_was_surely_not_sent() {
    let delivery = |error| Error::from(error).delivery();
    assert_eq!(delivery(TransportError::Connect { reason: "refused".into() }), Delivery::NotSent);
    assert_eq!(delivery(TransportError::TimedOut { deadline: Duration::from_secs(10) }), Delivery::Ambiguous);
    assert_eq!(delivery(TransportError::Cut { reason: "reset".into() }), Delivery::Ambiguous);
    assert_eq!(delivery(TransportError::TooLarge { limit: 1 }), Delivery::Ambiguous);
}

#[test]
fn the_texts_follow_could_not() {
    let texts = [
        saying(401, "Unable to authenticate you"),
        saying(403, "You are not authorized to perform this operation"),
        saying(403, "You are missing the required permission image:create"),
        saying(404, "The resource you requested could not be found."),
        saying(422, "Droplet already has a pending event."),
        saying(422, "name is too long"),
        of(429, &[("retry-after", "30"), ("x-request-id", "abc")], ""),
        of(503, &[], "<html>"),
        Error::from(TransportError::TimedOut { deadline: Duration::from_secs(10) }),
        Error::from(TransportError::Connect { reason: "Connection refused (os error 111)".into() }),
    ]
    .map(|error| error.to_string());
    let expected = [
        "DigitalOcean does not accept the token (request 4d9d8375-3c56)",
        "DigitalOcean does not allow it: You are not authorized to perform this operation (the token may lack a scope: \
         droplet:update, image:create) (request 4d9d8375-3c56)",
        "DigitalOcean does not allow it: You are missing the required permission image:create (the token may lack a scope: \
         image:create) (request 4d9d8375-3c56)",
        "DigitalOcean does not know it (any more) (request 4d9d8375-3c56)",
        "another Action is running: Droplet already has a pending event. (request 4d9d8375-3c56)",
        "DigitalOcean refused (422): name is too long (request 4d9d8375-3c56)",
        "too many requests, DigitalOcean wants none before 2027-01-15T08:00:30Z (request abc)",
        "DigitalOcean is not available (503)",
        "DigitalOcean is not available: no answer within 10 s",
        "DigitalOcean is not available: no connection: Connection refused (os error 111)",
    ];
    assert_eq!(texts.as_slice(), expected);
}

#[test]
fn foreign_text_is_one_short_line() {
    assert_eq!(short_line(" a\n\tb\u{0}\u{1b}[31m  c "), "a b [31m c");
    assert_eq!(short_line(&"ä".repeat(500)).chars().count(), 201);
    assert_eq!(saying(422, "").to_string(), "DigitalOcean refused (422): x (request 4d9d8375-3c56)");
    let wordless = of(422, &[], r#"{"message":null}"#);
    assert_eq!(wordless.to_string(), "DigitalOcean refused (422): no reason given");
}

#[test]
fn what_is_not_digitaloceans_json_is_an_outage_whatever_its_status() {
    let pages = [
        "",
        "{}",
        "null",
        "[]",
        "\"forbidden\"",
        "Forbidden",
        r#"{"error":"blocked by the firewall"}"#,
        "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>",
    ];
    for status in [301, 400, 401, 403, 404, 410, 418, 422, 423, 499, 500, 503] {
        for page in pages {
            let error = of(status, &[("x-request-id", "abc")], page);
            assert_eq!(error.to_string(), format!("DigitalOcean is not available ({status}) (request abc)"), "{page}");
            assert_eq!((error.delivery(), error.retry()), (Delivery::Ambiguous, Retry::Soon), "{status} {page}");
        }
    }
    assert!(matches!(of(429, &[("retry-after", "30")], "<html>"), Error::Throttled { .. }));
    assert!(
        matches!(of(403, &[], r#"{"id":"forbidden"}"#), Error::Forbidden { message, .. } if message == "forbidden")
    );
}

#[test]
fn a_reason_is_found_in_whatever_form_it_comes() {
    let of = |message: &str| of(422, &[], &format!(r#"{{"id":"unprocessable_entity","message":{message}}}"#));
    for busy in [
        r#"{"error":"Droplet already has a pending event."}"#,
        r#"["Droplet already has a pending event."]"#,
        r#"{"code":1e999,"detail":"Droplet already has a pending event."}"#,
        r#"[{"errors":[{"field":"base","texts":["Droplet already has a pending event."]}]}]"#,
    ] {
        assert!(matches!(of(busy), Error::Busy { .. }), "{busy}");
    }
    let said = |message: &str| match of(message) {
        Error::Refused { message, .. } => message,
        other => panic!("{other}"),
    };
    assert_eq!(
        said(r#"{"name":["is too long","is taken"],"code":7,"more":null}"#).matches("is too long; is taken").count(),
        1
    );
    for nothing in ["null", "\"\"", "{}", "[[], null]"] {
        assert_eq!(said(nothing), "unprocessable_entity", "{nothing}");
    }
}

#[test]
fn a_refusal_for_other_reasons_than_scopes_keeps_its_sentence() {
    let error = saying(403, "Your account is locked. Please contact support.");
    assert!(error.to_string().contains("Your account is locked. Please contact support."), "{error}");
}

#[test]
fn a_request_id_that_is_none_is_not_repeated() {
    assert_eq!(of(404, &[("x-request-id", "a b\u{1b}")], "").request_id(), None);
    assert_eq!(of(404, &[("x-request-id", &"a".repeat(65))], "").request_id(), None);
}

proptest! {
    #[test]
    fn every_failure_has_a_kind_a_delivery_and_a_text(status in 300u16..1000, message: String, header: String) {
        let error = of(status, &[("x-request-id", &header), ("retry-after", &header)], &json!({ "message": message }).to_string());
        let refused = error.delivery() == Delivery::Refused;
        prop_assert_eq!(refused, (400..500).contains(&status) && status != 408);
        let text = error.to_string();
        prop_assert!(text.chars().count() < 500 && !text.chars().any(char::is_control), "{}", text);
        let _ = error.retry();
    }
}
