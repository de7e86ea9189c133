//! A JSON text with the places of its values: what stands where, nothing decoded.
use std::sync::Arc;

use weir_value::limits::{DIFF_COST_MAX, VALUE_NESTING_MAX};

/// The place of a value in a [`Tree`].
pub(super) type NodeId = usize;

/// How many bytes of text count as much as one value: strings are passed over and compared quickly.
const BYTES_PER_STEP: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number, a string, a literal; or an encoded value, one of whose kind is an object with one `$` name.
    Atom,
    Array,
    Object,
}

/// Offsets are into the text; `key` is the name of a field without its quotes, as it stands there.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    key_start: u32,
    key_end: u32,
    /// The node after the last one inside.
    next: u32,
    kind: Kind,
}

/// A JSON text, read far enough to be compared. The nodes stand in the order of the text.
#[derive(Debug, Clone)]
pub struct Tree {
    text: Arc<str>,
    nodes: Vec<Node>,
}

impl Tree {
    pub(super) const ROOT: NodeId = 0;

    /// Reads a JSON text. `None` if it is not valid JSON, is nested deeper than a value may be, or is larger than a
    /// comparison may cost.
    pub fn parse(text: &Arc<str>) -> Option<Tree> {
        if text.len() > DIFF_COST_MAX * BYTES_PER_STEP {
            return None;
        }
        let mut scanner = Scanner { text: text.as_bytes(), at: 0, nodes: Vec::new() };
        scanner.value((0, 0), 0)?;
        scanner.space();
        (scanner.at == text.len()).then(|| Tree { nodes: scanner.nodes, text: text.clone() })
    }

    /// How much memory it takes beside the text.
    pub fn size_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn kind(&self, node: NodeId) -> Kind {
        self.nodes[node].kind
    }

    pub(super) fn raw(&self, node: NodeId) -> &str {
        let node = self.nodes[node];
        &self.text[node.start as usize..node.end as usize]
    }

    pub(super) fn key(&self, node: NodeId) -> &str {
        let node = self.nodes[node];
        &self.text[node.key_start as usize..node.key_end as usize]
    }

    /// The items of an array, the values of an object's fields.
    pub(super) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.nodes[node].next as usize;
        let first = (node + 1 < end).then_some(node + 1);
        std::iter::successors(first, move |&child| {
            let next = self.nodes[child].next as usize;
            (next < end).then_some(next)
        })
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Scanner<'_> {
    fn value(&mut self, key: (u32, u32), depth: usize) -> Option<()> {
        self.space();
        let node = self.nodes.len();
        if depth > VALUE_NESTING_MAX || node >= DIFF_COST_MAX {
            return None;
        }
        let start = self.at as u32;
        self.nodes.push(Node { start, end: 0, key_start: key.0, key_end: key.1, next: 0, kind: Kind::Atom });
        let kind = match self.peek()? {
            b'{' => self.object(node, depth)?,
            b'[' => self.array(depth)?,
            b'"' => self.string().map(|_| Kind::Atom)?,
            _ => self.bare().map(|()| Kind::Atom)?,
        };
        let next = self.nodes.len() as u32;
        self.nodes[node] = Node { end: self.at as u32, next, kind, ..self.nodes[node] };
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        self.space();
        if self.take(b']') {
            return Some(Kind::Array);
        }
        loop {
            self.value((0, 0), depth + 1)?;
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Some(Kind::Array),
                _ => return None,
            }
        }
    }

    fn object(&mut self, node: NodeId, depth: usize) -> Option<Kind> {
        self.at += 1;
        self.space();
        if self.take(b'}') {
            return Some(Kind::Object);
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return None;
            }
            self.value(key, depth + 1)?;
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(self.object_or_encoded(node)),
                _ => return None,
            }
        }
    }

    /// An object with one field whose name begins with `$` is one value, into which no path goes.
    fn object_or_encoded(&mut self, node: NodeId) -> Kind {
        let first = self.nodes[node + 1];
        let alone = first.next as usize == self.nodes.len();
        if alone && self.text[first.key_start as usize..first.key_end as usize].starts_with(b"$") {
            self.nodes.truncate(node + 1);
            return Kind::Atom;
        }
        Kind::Object
    }

    /// Passes over a string; what is between the quotes.
    fn string(&mut self) -> Option<(u32, u32)> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        loop {
            match self.next()? {
                b'"' => return Some((start as u32, self.at as u32 - 1)),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// Passes over a number or a literal.
    fn bare(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }
}
