//! Flags and migrations of `cutover` behind the OpenFeature interface.
