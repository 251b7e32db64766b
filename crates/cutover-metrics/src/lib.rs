//! Metrics of `cutover` for OpenTelemetry.
