//! A `tower` layer that runs two HTTP services and answers with one.
