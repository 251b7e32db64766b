//! [`RequestKey`]: whose request it is.

use cutover::BucketKey;
use http::HeaderName;
use http::header::COOKIE;
use http::request::Parts;

/// Says whose request it is, from its head: the user, tenant or session that shall always be served by the same side.
///
/// Closures are such keys too. A request without a key is [`BucketKey::Missing`]: the router's
/// [`MissingKey`](cutover::MissingKey) says who serves it, legacy by default. So does one for which this panics; the
/// panic is counted.
///
/// What a client may set, a client may choose: whoever can pick a key can pick a side of the rollout. Take a key that was
/// authenticated before the layer where that matters.
///
/// ```
/// use cutover::BucketKey;
/// use cutover_tower::RequestKey;
/// use http::request::Parts;
///
/// /// Put into the request by the host's own authentication.
/// #[derive(Clone)]
/// struct UserId(u64);
///
/// fn by_user(head: &Parts) -> BucketKey<'_> {
///     head.extensions.get::<UserId>().map(|user| user.0).into()
/// }
///
/// let (head, ()) = http::Request::builder().extension(UserId(17)).body(())?.into_parts();
/// assert_eq!(by_user.key(&head), BucketKey::U64(17));
/// # Ok::<(), http::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no key from a request",
    note = "a key is `by_header(..)`, `by_cookie(..)`, `by_path_segment(..)`, or a function `fn(&Parts) -> BucketKey<'_>`"
)]
pub trait RequestKey: Send + Sync {
    /// The key of the request with this head.
    fn key<'a>(&self, head: &'a Parts) -> BucketKey<'a>;
}

impl<F> RequestKey for F
where
    F: for<'a> Fn(&'a Parts) -> BucketKey<'a> + Send + Sync,
{
    fn key<'a>(&self, head: &'a Parts) -> BucketKey<'a> {
        self(head)
    }
}

/// The value of the first header with this name.
///
/// ```
/// use cutover::BucketKey;
/// use cutover_tower::{RequestKey, by_header};
/// use http::HeaderName;
///
/// let key = by_header(HeaderName::from_static("x-tenant"));
/// let (head, ()) = http::Request::builder().header("x-tenant", "acme").body(())?.into_parts();
/// assert_eq!(key.key(&head), BucketKey::Str("acme"));
/// # Ok::<(), http::Error>(())
/// ```
pub fn by_header(name: HeaderName) -> impl RequestKey + 'static {
    from_head(move |head| {
        let value = head.headers.get(&name)?;
        Some(value.to_str().map_or_else(|_| BucketKey::Bytes(value.as_bytes()), BucketKey::Str))
    })
}

/// The value of the first cookie with this name, as it stands.
///
/// ```
/// use cutover::BucketKey;
/// use cutover_tower::{RequestKey, by_cookie};
///
/// let (head, ()) = http::Request::builder().header("cookie", "theme=dark; sid=31fc").body(())?.into_parts();
/// assert_eq!(by_cookie("sid").key(&head), BucketKey::Str("31fc"));
/// assert_eq!(by_cookie("id").key(&head), BucketKey::Missing);
/// # Ok::<(), http::Error>(())
/// ```
pub fn by_cookie(name: impl Into<String>) -> impl RequestKey + 'static {
    let name = name.into();
    from_head(move |head| {
        let lines = head.headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        cookies.find(|(found, _)| *found == name).map(|(_, value)| BucketKey::Str(value))
    })
}

/// A segment of the path, counted from 0 and as it stands, percent signs included.
///
/// ```
/// use cutover::BucketKey;
/// use cutover_tower::{RequestKey, by_path_segment};
///
/// let (head, ()) = http::Request::builder().uri("/tenants/acme/orders").body(())?.into_parts();
/// assert_eq!(by_path_segment(1).key(&head), BucketKey::Str("acme"));
/// # Ok::<(), http::Error>(())
/// ```
#[must_use]
pub fn by_path_segment(index: usize) -> impl RequestKey + 'static {
    from_head(move |head| head.uri.path().strip_prefix('/')?.split('/').nth(index).map(BucketKey::Str))
}

/// A closure whose answer borrows from the head.
fn from_head<F>(key: F) -> impl RequestKey + 'static
where
    F: for<'a> Fn(&'a Parts) -> Option<BucketKey<'a>> + Send + Sync + 'static,
{
    FromHead(key)
}

struct FromHead<F>(F);

impl<F> RequestKey for FromHead<F>
where
    F: for<'a> Fn(&'a Parts) -> Option<BucketKey<'a>> + Send + Sync,
{
    fn key<'a>(&self, head: &'a Parts) -> BucketKey<'a> {
        (self.0)(head).unwrap_or(BucketKey::Missing)
    }
}
