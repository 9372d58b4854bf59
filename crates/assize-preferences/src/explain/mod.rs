//! Why a verdict is what it is, for people: the strongest reasons in plain sentences, what would have to be otherwise
//! for another decision, and the harm-benefit tree as data and as a picture. All of it is made from the assessment and
//! the profile, which hold no word of a conversation, so that none can show up here.

mod counterfactual;
mod detail;
mod phrases;
mod reasons;
mod svg;
mod view;
mod weighing;

pub use counterfactual::{Beyond, Counterfactual, Counterfactuals, counterfactuals};
pub use svg::tree_svg;
pub use view::{
    BranchView, LeafView, Named, Share, SharesView, SubjectPoints, TreeForm, TreeView, tree_view,
};

pub(crate) use reasons::reasons;
