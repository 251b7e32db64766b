//! A web page and a JSON API for migrations of `cutover`, as a router that the host mounts.
