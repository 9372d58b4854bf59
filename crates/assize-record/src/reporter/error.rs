//! Why a text gives no tree. No variant holds a word of the text: a reporter may repeat what a user wrote.

use std::fmt;

/// Which text is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TreePart {
    /// What the harm reporter wrote, or a file's list `harms`.
    Harms,
    /// What the benefit reporter wrote, or a file's list `benefits`.
    Benefits,
    /// A tree file as a whole.
    File,
}

/// Why a text gives no tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Too long to be one tree.
    #[error("{part}: {bytes} bytes, and at most {most} are read; give the text of one tree")]
    TooLong {
        /// Where.
        part: TreePart,
        /// The text's length.
        bytes: usize,
        /// The longest that is read.
        most: usize,
    },
    /// Lists and objects in one another.
    #[error("{part}: more than {most} lists and objects in one another; a tree has 7 at the most")]
    TooDeep {
        /// Where.
        part: TreePart,
        /// The deepest that is read.
        most: usize,
    },
    /// More leaves than a tree has.
    #[error("{part}: more than {most} effects; give the text of one tree")]
    TooManyLeaves {
        /// Where.
        part: TreePart,
        /// The most that are read.
        most: usize,
    },
    /// A reporter's text has nothing that could be a tree.
    #[error(
        "{part}: no list of objects; expected a JSON array of at least one stakeholder, \
         `[{{\"stakeholder\": …, \"{part}\": […]}}]`; let the reporter write again"
    )]
    NoList {
        /// Where.
        part: TreePart,
    },
    /// There is a list, and not one effect in it.
    #[error(
        "{part}: not one effect can be read; expected objects with `stakeholder` and `{part}`, in these objects with \
         `action` and `effects`, in these objects with `effect`, `immediacy`, `extent` and `likelihood`"
    )]
    NothingReadable {
        /// Where.
        part: TreePart,
    },
    /// There are effects, and none of them has words that a taxonomy knows for all that is weighed.
    #[error(
        "{part}: {leaves} effects, and not one can be weighed: a word of each is in no taxonomy; the tree counts as \
         unusable, never as empty"
    )]
    NothingWeighable {
        /// Where.
        part: TreePart,
        /// How many effects there are, marks counted.
        leaves: usize,
    },
    /// A file without one of its two lists, or without any tree.
    #[error(
        "tree file: no list `{part}`; expected `{{\"harms\": […], \"benefits\": […]}}`, with `[]` for none"
    )]
    MissingList {
        /// Which.
        part: TreePart,
    },
}

impl fmt::Display for TreePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Harms => "harms",
            Self::Benefits => "benefits",
            Self::File => "tree file",
        })
    }
}
