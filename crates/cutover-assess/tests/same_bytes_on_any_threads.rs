//! Every report has the same bytes on one thread and on eight.

mod common;

use common::{Tree, llm_chain, report};
use cutover_assess::{Complexity, Context, Format, Rule, RuleSet, Scan};

fn big_tree() -> Tree {
    let tree = Tree::of(&[("zero.py", "")]);
    for file in 0..400 {
        let text =
            format!("LLMChain\n# LLMChain {}\nx = LLMChain() # migrate:allow(llm-chain)\n'LLMChain'\n", file % 7);
        tree.write(&format!("d{}/e{}/f{file}.py", file % 5, file % 11), text);
        tree.write(&format!("d{}/b{file}.bin", file % 5), b"\0");
        tree.write(&format!("d{}/u{file}.txt", file % 5), b"\xff\xfeL\0");
    }
    tree
}

#[test]
fn one_thread_and_eight_write_the_same() {
    let tree = big_tree();
    let rules = RuleSet::new([
        llm_chain(),
        Rule::new("comment", "LLMChain 3", "In comments", Complexity::High).contexts([Context::Comment]),
        Rule::new("nowhere", "LLMChain", "Nowhere", Complexity::Medium).files(["*.rs"]),
    ])
    .unwrap();
    let scan = |threads| Scan::new(rules.clone()).threads(threads).run(tree.root()).unwrap();
    let one = scan(1);
    assert!(one.findings().len() > 400 && one.allowed().len() == 400 && one.skipped().len() == 800);
    assert!(!one.elsewhere().is_empty() && !one.warnings().is_empty());
    for _ in 0..5 {
        let eight = scan(8);
        for format in Format::ALL {
            assert_eq!(report(&eight, format), report(&one, format), "{format}");
        }
    }
}
