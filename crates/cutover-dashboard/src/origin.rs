//! Whether a request to change something comes from the dashboard's own pages.

use http::{HeaderMap, Uri, header};

use crate::error::DashboardError;
use crate::view::Problem;

/// Where the dashboard's pages come from: scheme, host and port, as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn parse(text: &str) -> Result<Self, DashboardError> {
        let uri: Uri = text.parse().map_err(|_| DashboardError::Origin)?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(DashboardError::Origin)?;
        let bare = uri.path_and_query().is_none_or(|path| path == "/") && !text.ends_with('/');
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(DashboardError::Origin),
        };
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(DashboardError::Origin);
        }
        let authority = authority.as_str().to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// What a request comes in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// A form of a page.
    Page,
    /// The JSON API.
    Api,
}

/// Whether a POST may change something: a browser says that it comes from the same origin, or the API's own header says that no
/// plain form of another site sends it.
pub(crate) fn check(headers: &HeaderMap, door: Door, origin: Option<&Origin>) -> Result<(), Problem> {
    if door == Door::Api {
        check_api_headers(headers)?;
    }
    let site = single(headers, "sec-fetch-site")?;
    let from = single(headers, header::ORIGIN.as_str())?;
    match (site, from) {
        (Some("same-origin" | "none"), _) => Ok(()),
        (Some(_), _) => Err(refused("The request comes from another site. Nothing was changed.")),
        (None, Some(from)) => check_origin(from, origin),
        (None, None) if door == Door::Api => Ok(()),
        (None, None) => Err(refused(
            "The browser does not say from where the request comes: it sends neither Sec-Fetch-Site nor Origin. \
             Nothing was changed.",
        )),
    }
}

fn check_origin(from: &str, origin: Option<&Origin>) -> Result<(), Problem> {
    match origin {
        Some(Origin(origin)) if origin == from => Ok(()),
        Some(_) => Err(refused("The request comes from another origin than the configured one. Nothing was changed.")),
        None => Err(refused(
            "The browser sends no Sec-Fetch-Site, and no origin is configured to compare with: build the dashboard with \
             Dashboard::origin. Browsers leave it out where a page is neither on https nor on localhost. Nothing was changed.",
        )),
    }
}

fn check_api_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let json = single(headers, header::CONTENT_TYPE.as_str())?.is_some_and(is_json);
    if !json {
        return Err(Problem::new(
            "media_type",
            415,
            "The API takes `content-type: application/json`. Nothing was changed.",
        ));
    }
    if single(headers, API_HEADER)? != Some("1") {
        return Err(refused("The API takes requests with the header `x-cutover-dashboard: 1`. Nothing was changed."));
    }
    Ok(())
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The header that no form of another site can send.
pub(crate) const API_HEADER: &str = "x-cutover-dashboard";

/// The value of a header that may come once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    let unclear = values.next().is_some();
    match first.map(|value| value.to_str()) {
        _ if unclear => Err(refused("A header that says from where the request comes stands there twice.")),
        Some(Err(_)) => Err(refused("A header that says from where the request comes is not readable.")),
        Some(Ok(value)) => Ok(Some(value)),
        None => Ok(None),
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new("cross_site", 403, detail)
}
