//! A shadow asks what its client asked, in its own connection, marked, and without what the host takes out.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Bench, PARALLEL, Script, Step, reader};
use cutover_tower::SHADOW_HEADER;
use http::{HeaderMap, Request, Version};

/// What both sides were asked.
fn asked(
    request: Request<Script>,
    edit: impl Fn(&mut http::request::Parts) + Send + Sync + 'static,
) -> [(http::request::Parts, Vec<u8>); 2] {
    let ((legacy, of_legacy), (new, of_new)) = (reader(Script::full("a")), reader(Script::full("a")));
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true).edit_shadow(edit));
    bench.exchange(request);
    [of_legacy, of_new].map(|seen| {
        let (head, read) = seen.lock().expect("nobody panics").remove(0);
        let data = read.data();
        (head, data)
    })
}

#[derive(Clone, Debug, PartialEq)]
struct Peer(u16);

#[test]
fn it_is_the_same_request_with_a_mark() {
    let request = Request::put("/orders/17?full=1")
        .version(Version::HTTP_2)
        .header("authorization", "Bearer s3cret")
        .header("cookie", "sid=31fc")
        .header("if-none-match", "\"v1\"")
        .header("range", "bytes=0-9")
        .header("accept", "application/json")
        .header("x-many", "a")
        .header("x-many", "b")
        .header("content-length", "7")
        .extension(Peer(80))
        .body(Script::new([Step::data("pay"), Step::data("load")]))
        .expect("a request");
    let expected = request.headers().clone();
    let [(legacy, sent), (mut new, copied)] = asked(request, |_| {});
    assert_eq!((&legacy.headers, sent.as_slice()), (&expected, b"payload".as_slice()));
    assert_eq!(new.headers.remove(SHADOW_HEADER).expect("a mark"), "orders");
    assert_eq!((&new.headers, copied.as_slice()), (&expected, b"payload".as_slice()));
    assert_eq!((new.method, new.uri, new.version), (legacy.method, legacy.uri, legacy.version));
    assert_eq!((new.extensions.get::<Peer>(), legacy.extensions.get::<Peer>()), (Some(&Peer(80)), Some(&Peer(80))));
}

#[test]
fn what_belongs_to_the_connection_stays_with_the_side_that_serves() {
    let request = Request::get("/")
        .header("connection", "keep-alive")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header("transfer-encoding", "chunked")
        .header("trailer", "checksum")
        .header("expect", "100-continue")
        .header("te", "gzip, trailers")
        .header("x-end", "2")
        .body(Script::full(""))
        .expect("a request");
    let expected = request.headers().clone();
    let [(legacy, _), (mut new, _)] = asked(request, |_| {});
    assert_eq!(legacy.headers, expected);
    new.headers.remove(SHADOW_HEADER);
    let mut left = HeaderMap::new();
    left.insert("x-end", "2".parse().expect("a value"));
    assert_eq!(new.headers, left);
}

#[test]
fn what_a_client_names_in_connection_is_still_asked_of_both_sides() {
    let request = Request::get("/")
        .header("connection", "Authorization, cookie, close, x-hop")
        .header("authorization", "Bearer s3cret")
        .header("cookie", "sid=31fc")
        .header("x-hop", "1")
        .body(Script::full(""))
        .expect("a request");
    let mut expected = request.headers().clone();
    let [(legacy, _), (mut new, _)] = asked(request, |_| {});
    assert_eq!(legacy.headers, expected);
    new.headers.remove(SHADOW_HEADER);
    expected.remove("connection");
    assert_eq!(new.headers, expected);
}

#[test]
fn a_service_that_is_asked_for_trailers_is_asked_for_them_in_the_shadow_too() {
    let request = Request::get("/").header("te", "trailers").body(Script::full("")).expect("a request");
    let [_, (new, _)] = asked(request, |_| {});
    assert_eq!(new.headers["te"], "trailers");
}

#[test]
fn the_host_takes_out_what_the_shadow_shall_not_have_but_not_the_mark() {
    let request = Request::get("/")
        .header("authorization", "Bearer s3cret")
        .header(SHADOW_HEADER.as_str().replace("cutover-", "not-"), "x")
        .body(Script::full(""))
        .expect("a request");
    let [(legacy, _), (new, _)] = asked(request, |head| {
        head.headers.clear();
        head.headers.insert("x-environment", "shadow".parse().expect("a value"));
    });
    assert_eq!(legacy.headers["authorization"], "Bearer s3cret");
    assert_eq!(
        (new.headers.len(), &new.headers["x-environment"], &new.headers[SHADOW_HEADER]),
        (2, &"shadow".parse().expect("a value"), &"orders".parse().expect("a value"))
    );
}
