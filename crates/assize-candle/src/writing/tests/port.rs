//! What a worker sees of a writer.

use super::*;
use assize_inference::{
    ModelError, Weigh,
    continuous::{ContinuousModel, NotJoined},
};

#[test]
fn a_worker_is_told_what_to_keep_waiting_and_what_fails() {
    fn join(
        writer: &mut impl ContinuousModel<Input = WriteRequest>,
        request: &WriteRequest,
    ) -> Option<NotJoined> {
        writer.join(request).err()
    }
    let mut writer = writer(64);
    assert_eq!(request(&[1; 30], 4).tokens(), 34);
    assert_eq!(join(&mut writer, &request(&[1; 30], 4)), None);
    assert_eq!(join(&mut writer, &request(&[1], 1)), Some(NotJoined::NoRoom));
    let detail = "prompt and text of 65 tokens are over the limit of 64; ask for less".to_owned();
    let failed = NotJoined::Failed(ModelError::Failed { detail });
    assert_eq!(join(&mut writer, &request(&[1; 64], 1)), Some(failed));
    let ended: Vec<_> = (0..4).flat_map(|_| ContinuousModel::step(&mut writer).unwrap()).collect();
    assert_eq!(ended[0].1.as_ref().unwrap().tokens.len(), 4);
}
