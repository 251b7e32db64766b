//! Looks in one file.

use std::any::Any;
use std::cell::OnceCell;
use std::cmp::Reverse;
use std::hash::Hasher as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::allow::{self, Allow, Allows};
use super::lines::Lines;
use super::plan::{Interest, Plan};
use crate::context::Context;
use crate::excerpt::excerpt;
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::lexer::{Segment, context_at};
use crate::matcher::{Match, Matcher, Source};
use crate::rule::Rule;
use crate::skipped::SkipReason;
use crate::warning::Warning;

/// What was found in one file.
#[derive(Default)]
pub(super) struct Searched {
    pub(super) bytes: u64,
    pub(super) places: Vec<Place>,
    /// The rule's number and the context of what it leaves out.
    pub(super) elsewhere: Vec<(usize, Context)>,
    pub(super) warnings: Vec<Warning>,
}

/// A finding; its fingerprint is that of the first one like it, whichever it is.
pub(super) struct Place {
    pub(super) finding: Finding,
    pub(super) allowed: bool,
}

/// Looks in one file.
pub(super) fn search(plan: &Plan<'_>, interest: &Interest, source: &Source<'_>) -> Result<Searched, SkipReason> {
    let mut file = File { plan, interest, source, segments: OnceCell::new(), elsewhere: Vec::new() };
    let mut hits = Vec::new();
    for matcher in &plan.matchers {
        hits.extend(longest(file.hits(*matcher)?));
    }
    hits.sort_by_key(|hit| (hit.span.start, hit.span.end, hit.number));
    Ok(file.report(hits))
}

/// A match of a rule that looks in this file and context.
struct Hit<'m> {
    rule: &'m Rule,
    number: usize,
    span: Range<usize>,
    context: Context,
    replacement: Option<String>,
}

/// Of hits that overlap, the longest; of equally long ones the first. Those at the same span all stay.
fn longest(mut hits: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    hits.sort_by_key(|hit| (Reverse(hit.span.len()), hit.span.start));
    let mut taken = std::collections::BTreeMap::new();
    hits.retain(|Hit { span, .. }| {
        let before = taken.range(..span.end).next_back();
        let free = before.is_none_or(|(&start, &end)| end <= span.start || (start, end) == (span.start, span.end));
        if free {
            taken.insert(span.start, span.end);
        }
        free
    });
    hits
}

struct File<'f> {
    plan: &'f Plan<'f>,
    interest: &'f Interest,
    source: &'f Source<'f>,
    segments: OnceCell<Vec<Segment>>,
    elsewhere: Vec<(usize, Context)>,
}

impl<'f> File<'f> {
    fn hits(&mut self, matcher: &'f dyn Matcher) -> Result<Vec<Hit<'f>>, SkipReason> {
        let source = self.source;
        let found =
            catch_unwind(AssertUnwindSafe(|| matcher.find(source))).map_err(|panic| failed(panicked(&*panic)))?;
        let mut hits = Vec::new();
        for one in found {
            hits.extend(self.hit(one)?);
        }
        Ok(hits)
    }

    fn hit(&mut self, found: Match<'f>) -> Result<Option<Hit<'f>>, SkipReason> {
        let Match { rule, span, replacement } = found;
        let number =
            self.plan.number(&rule.id).ok_or_else(|| failed(format!("it has no rule `{}`", excerpt(&rule.id))))?;
        if self.source.bytes.get(span.clone()).is_none_or(<[u8]>::is_empty) {
            return Err(failed(format!("the rule `{}` matches at {span:?}, which is no text of the file", rule.id)));
        }
        if !self.interest.has(number) {
            return Ok(None);
        }
        let context = context_at(self.segments(), span.start);
        if !rule.contexts.contains(&context) {
            self.elsewhere.push((number, context));
            return Ok(None);
        }
        Ok(Some(Hit { rule, number, span, context, replacement }))
    }

    fn segments(&self) -> &[Segment] {
        self.segments.get_or_init(|| self.source.language().segments(self.source.bytes))
    }

    fn report(self, hits: Vec<Hit<'_>>) -> Searched {
        let bytes = self.source.bytes;
        let mut searched = Searched { bytes: bytes.len() as u64, ..Searched::default() };
        let allows = allow::is_in(bytes);
        if !hits.is_empty() || allows {
            let mut lines = Lines::new(bytes);
            let mut allows = if allows { self.allows(&lines) } else { Allows::default() };
            searched.places = hits.into_iter().map(|hit| self.place(hit, &mut lines, &mut allows)).collect();
            searched.warnings = allows.into_all().into_iter().filter_map(|allow| self.warning(allow)).collect();
        }
        searched.elsewhere = self.elsewhere;
        searched
    }

    fn allows(&self, lines: &Lines<'_>) -> Allows {
        allow::find(self.source.bytes, self.source.language(), self.segments(), lines)
    }

    fn place(&self, hit: Hit<'_>, lines: &mut Lines<'_>, allows: &mut Allows) -> Place {
        let Hit { rule, span, context, replacement, .. } = hit;
        let line = lines.number(span.start);
        let allowed = allows.allow(&rule.id, line);
        let (excerpt, matched) = lines.excerpt(&span);
        let finding = Finding {
            path: self.source.path.to_owned(),
            line,
            column: lines.column(span.start),
            rule: rule.id.clone(),
            name: rule.name.clone(),
            complexity: rule.complexity,
            context,
            excerpt,
            matched,
            fingerprint: fingerprint(rule, lines.identity(&span)),
            replacement,
            span,
        };
        Place { finding, allowed }
    }

    fn warning(&self, allow: Allow) -> Option<Warning> {
        let (path, line) = (self.source.path.to_owned(), allow.line);
        match allow.rule {
            None => Some(Warning::MalformedAllow { path, line }),
            Some(rule) if self.plan.number(&rule).is_none() => {
                Some(Warning::UnknownAllow { path, line, rule: excerpt(&rule) })
            }
            Some(rule) => (!allow.used).then_some(Warning::UnusedAllow { path, line, rule }),
        }
    }
}

/// Of the rule and the words of the line.
fn fingerprint(rule: &Rule, line: &[u8]) -> Fingerprint {
    let mut hasher = SipHasher24::new();
    hasher.write(rule.id.as_bytes());
    for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        hasher.write(b"\0");
        hasher.write(word);
    }
    Fingerprint(hasher.finish128().as_u128())
}

fn failed(problem: String) -> SkipReason {
    SkipReason::MatcherFailed { problem }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.map_or_else(|| "it panicked".into(), |text| format!("it panicked: {}", excerpt(text)))
}
