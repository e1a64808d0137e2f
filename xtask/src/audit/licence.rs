//! SPDX licence expressions, as far as packages use them (SPDX 2.3, annex D).

/// A licence expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// One licence, with its exception where it has one: `Apache-2.0 WITH LLVM-exception`.
    Licence(String),
    /// All of these.
    And(Vec<Expression>),
    /// One of these, as one likes.
    Or(Vec<Expression>),
}

impl Expression {
    /// Reads an expression; nothing when it is none. `MIT/Apache-2.0`, as cargo once had it, is an `OR`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let mut words = Words(spaced.split_whitespace().collect());
        let expression = words.or()?;
        words.0.is_empty().then_some(expression)
    }

    /// Whether licences that are allowed are enough for it.
    pub(super) fn is_met(&self, allowed: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Licence(licence) => allowed(licence),
            Self::And(all) => all.iter().all(|one| one.is_met(allowed)),
            Self::Or(any) => any.iter().any(|one| one.is_met(allowed)),
        }
    }
}

/// The words that are left to read. `WITH` binds closest, then `AND`, then `OR`.
struct Words<'a>(std::collections::VecDeque<&'a str>);

impl Words<'_> {
    fn or(&mut self) -> Option<Expression> {
        self.joined("OR", Self::and).map(|all| one_or(all, Expression::Or))
    }

    fn and(&mut self) -> Option<Expression> {
        self.joined("AND", Self::licence).map(|all| one_or(all, Expression::And))
    }

    fn joined(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Option<Expression>,
    ) -> Option<Vec<Expression>> {
        let mut parts = vec![part(self)?];
        while self.take(word) {
            parts.push(part(self)?);
        }
        Some(parts)
    }

    fn licence(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.or()?;
            return self.take(")").then_some(inner);
        }
        let mut licence = self.identifier()?;
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.identifier()?);
        }
        Some(Expression::Licence(licence))
    }

    fn identifier(&mut self) -> Option<String> {
        let word = self.0.pop_front()?;
        let is_none = matches!(word, "(" | ")" | "AND" | "OR" | "WITH");
        (!is_none).then(|| word.to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.0.front() == Some(&word);
        if is_next {
            self.0.pop_front();
        }
        is_next
    }
}

fn one_or(mut all: Vec<Expression>, join: impl Fn(Vec<Expression>) -> Expression) -> Expression {
    if all.len() > 1 { join(all) } else { all.swap_remove(0) }
}
