//! Which nodes a graph needs, and an order in which they can run.

use super::fields::value;
use super::parts::{NodeParts, Parts, short};
use crate::wire::Fields;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// The nodes that the outputs need, each after those whose values it reads; otherwise in the order of the file.
pub(super) struct Order<'a> {
    pub nodes: Vec<&'a NodeParts<'a>>,
    /// The values that these nodes read, and the outputs.
    pub read: HashSet<&'a str>,
}

impl<'a> Order<'a> {
    /// An error where values depend on each other in a cycle, or where two nodes make the same one.
    pub fn of(parts: &'a Parts<'a>) -> Result<Order<'a>, String> {
        let nodes = &parts.nodes;
        let mut makers: HashMap<&str, usize> = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            for &name in node.outputs.iter().filter(|name| !name.is_empty()) {
                if makers.insert(name, at).is_some() {
                    return Err(format!("two things make the value {:?}", short(name)));
                }
            }
        }
        let read = needed(parts, &makers)?;
        let needs = |at: usize| nodes[at].inputs.iter().filter_map(|name| makers.get(name));
        let is_needed = |node: &NodeParts<'_>| node.outputs.iter().any(|name| read.contains(name));
        // How many values each node still waits for, and who waits for whom.
        let mut waits: HashMap<usize, usize> = HashMap::new();
        let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
        for at in (0..nodes.len()).filter(|&at| is_needed(&nodes[at])) {
            waits.insert(at, needs(at).count());
            for &maker in needs(at) {
                readers.entry(maker).or_default().push(at);
            }
        }
        let free = waits.iter().filter(|(_, count)| **count == 0);
        let mut ready: BinaryHeap<Reverse<usize>> = free.map(|(&at, _)| Reverse(at)).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(Reverse(at)) = ready.pop() {
            waits.remove(&at);
            order.push(&nodes[at]);
            for reader in readers.remove(&at).unwrap_or_default() {
                let count = waits.entry(reader).or_insert(1);
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(reader));
                }
            }
        }
        match waits.keys().min() {
            None => Ok(Order { nodes: order, read }),
            Some(&stuck) => {
                let next = |at: usize| needs(at).copied().find(|maker| waits.contains_key(maker));
                Err(cycle(nodes, stuck, next))
            }
        }
    }
}

/// The names of the values on which the outputs depend.
fn needed<'a>(
    parts: &'a Parts<'a>,
    makers: &HashMap<&'a str, usize>,
) -> Result<HashSet<&'a str>, String> {
    let mut read = HashSet::new();
    let mut open = Vec::new();
    for message in &parts.outputs {
        for next in Fields::new(message) {
            if let (value::NAME, name) = next? {
                open.push(name.text()?);
            }
        }
    }
    while let Some(name) = open.pop() {
        if read.insert(name)
            && let Some(&maker) = makers.get(name)
        {
            open.extend(parts.nodes[maker].inputs.iter().filter(|n| !n.is_empty()));
        }
    }
    Ok(read)
}

/// What is wrong where nodes wait for each other; `next` is a node that one waits for.
fn cycle(nodes: &[NodeParts<'_>], from: usize, next: impl Fn(usize) -> Option<usize>) -> String {
    let mut path = vec![from];
    let mut seen = HashMap::from([(from, 0)]);
    while let Some(at) = path.last().and_then(|&last| next(last)) {
        if let Some(start) = seen.insert(at, path.len()) {
            let around = &path[start..];
            let shown: Vec<String> = around.iter().take(8).map(|&at| nodes[at].shown()).collect();
            let more = match around.len() > 8 {
                true => ", …",
                false => "",
            };
            return format!(
                "its graph has a cycle of {} nodes, each of which needs what the next one makes: {}{more}",
                around.len(),
                shown.join(", ")
            );
        }
        path.push(at);
    }
    "its graph has a cycle".into()
}
