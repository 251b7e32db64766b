//! Two equal documents.

use std::hint::black_box;

use cutover::compare::{Comparator, Structural};
use serde::Serialize;

use crate::traffic::repeated;
use crate::{Subject, Worker};

#[derive(Clone, Serialize)]
struct Order {
    id: u64,
    took_ms: f64,
    lines: Vec<Line>,
}

#[derive(Clone, Serialize)]
struct Line {
    sku: String,
    price: f64,
    quantity: u32,
    tags: [&'static str; 3],
}

const LINES: u32 = 120;

fn order() -> Order {
    let line = |at: u32| {
        let (sku, price) = (format!("sku-{at:06}"), f64::from(at) * 1.25);
        Line { sku, price, quantity: at % 7, tags: ["fragile", "gift", "express"] }
    };
    Order { id: 17, took_ms: 12.5, lines: (0..LINES).map(line).collect() }
}

pub(super) const fn no_rules() -> fn() -> Structural {
    Structural::new
}

pub(super) const fn rules() -> fn() -> Structural {
    || Structural::new().ignore("/took_ms").ignore("/lines/*/tags/0").tolerance("/lines/*/price", 0.01)
}

pub(super) struct Serialised([Order; 2]);

impl Serialised {
    pub(super) fn new() -> Self {
        Self([order(), order()])
    }
}

impl Subject for Serialised {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.each_ref().map(|order| serde_json::to_value(black_box(order)).unwrap()))
    }
}

pub(super) struct Compared {
    comparator: Structural,
    orders: [Order; 2],
}

impl Compared {
    pub(super) fn new(comparator: fn() -> Structural) -> Self {
        Self { comparator: comparator(), orders: [order(), order()] }
    }
}

impl Subject for Compared {
    fn worker(&self) -> Worker<'_> {
        let [legacy, new] = &self.orders;
        repeated(move || self.comparator.compare(black_box(legacy), black_box(new)).unwrap())
    }
}
