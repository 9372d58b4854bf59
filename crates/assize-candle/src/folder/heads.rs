//! The heads' rows, mapped by name from the checkpoint's order to the domain's.
//!
//! The names in `config.json` are what ties a number to its meaning. Mapping them by position would let a checkpoint
//! with another order judge `privacy` by the row of `child_harm`, and nobody would notice.

use super::{LoadError, files::ModelFile};
use assize_domain::{
    ActionCategory, Effect, Extent, GuardHead, HarmAction, Likelihood, RiskCategory, Stakeholder,
};
use serde::Deserialize;

/// Names of the heads' rows, in the checkpoint's order, as `config.json` lists them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadLists {
    binary: Vec<String>,
    risk: Vec<String>,
    leaves: LeafLists,
}

/// The axes along which the leaf heads are laid out. There are too many rows to name each, so that the axes must be
/// those of [`crate::leaves`], name by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafLists {
    categories: Vec<String>,
    actions: Vec<String>,
    effects: Vec<String>,
    stakeholders: Vec<String>,
    extents: Vec<String>,
    likelihoods: Vec<String>,
}

/// For each head with names: which row of the checkpoint answers the domain's first name, its second, and so on. The
/// leaves are always in the order of [`crate::leaves`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeadOrder {
    pub(crate) binary: Vec<u32>,
    pub(crate) risk: Vec<u32>,
}

impl HeadOrder {
    /// Every row where the domain has it: the order in which new models are made.
    pub(crate) fn identity() -> Self {
        let rows = |count| (0_u32..).take(count).collect();
        Self { binary: rows(GuardHead::ALL.len()), risk: rows(RiskCategory::ALL.len()) }
    }

    pub(super) fn read(file: &ModelFile, lists: &HeadLists) -> Result<Self, LoadError> {
        check_axes(file, &lists.leaves)?;
        let list = |key| HeadList { file, key };
        Ok(Self {
            binary: list("heads.binary").rows(&lists.binary, &GuardHead::ALL.map(GuardHead::id), |name| {
                GuardHead::ALL.into_iter().find(|head| head.id() == name).map(GuardHead::index)
            })?,
            risk: list("heads.risk").rows(&lists.risk, &RiskCategory::ALL.map(RiskCategory::id), |name| {
                name.parse().ok().map(RiskCategory::index)
            })?,
        })
    }
}

fn check_axes(file: &ModelFile, lists: &LeafLists) -> Result<(), LoadError> {
    let categories = ActionCategory::ALL.map(ActionCategory::title);
    let axes: [(&str, &[String], &[&str]); 6] = [
        ("heads.leaves.categories", &lists.categories, &categories),
        ("heads.leaves.actions", &lists.actions, &HarmAction::ALL.map(HarmAction::title)),
        ("heads.leaves.effects", &lists.effects, &Effect::ALL.map(Effect::title)),
        ("heads.leaves.stakeholders", &lists.stakeholders, &Stakeholder::ALL.map(Stakeholder::title)),
        ("heads.leaves.extents", &lists.extents, &Extent::ALL.map(Extent::id)),
        ("heads.leaves.likelihoods", &lists.likelihoods, &Likelihood::ALL.map(Likelihood::id)),
    ];
    match axes.into_iter().find(|(_, given, allowed)| given != allowed) {
        Some((key, given, allowed)) => {
            let advice = "the order of the rows is fixed, so export the model again";
            Err(file.not_allowed(key, &given.join(", "), &allowed.join(", "), advice))
        }
        None => Ok(()),
    }
}

/// One list of names in `config.json`.
#[derive(Clone, Copy)]
struct HeadList<'a> {
    file: &'a ModelFile,
    key: &'static str,
}

impl HeadList<'_> {
    /// Finds the row of each of the domain's names; `position` reads a name into its place in `domain`.
    fn rows(
        self,
        given: &[String],
        domain: &[&'static str],
        position: impl Fn(&str) -> Option<usize>,
    ) -> Result<Vec<u32>, LoadError> {
        let mut rows = vec![None; domain.len()];
        for (row, name) in (0_u32..).zip(given) {
            let place = position(name).and_then(|place| Some((rows.get_mut(place)?, *domain.get(place)?)));
            let (slot, known) = place.ok_or_else(|| self.unknown(name, domain))?;
            if slot.replace(row).is_some() {
                return Err(LoadError::HeadTwice {
                    file: self.file.path.clone(),
                    key: self.key.into(),
                    name: known,
                });
            }
        }
        let absent = domain.iter().zip(&rows).filter(|(_, row)| row.is_none());
        let missing: Vec<&str> = absent.map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(LoadError::HeadMissing {
                file: self.file.path.clone(),
                key: self.key.into(),
                missing,
            });
        }
        Ok(rows.into_iter().flatten().collect())
    }

    fn unknown(self, name: &str, domain: &[&str]) -> LoadError {
        let advice = "name each row by the taxonomy of this service";
        self.file.not_allowed(self.key, &name, &domain.join(", "), advice)
    }
}
