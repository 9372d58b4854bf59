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

#[test]
fn a_device_without_room_for_a_step_is_given_less_at_a_time() {
    let long = request(&[7; 200], 3);
    let expected = write_all(&mut writer(512), std::slice::from_ref(&long));
    let mut writer = writer(512);
    writer.room_for = Some(70);
    assert_eq!(write_all(&mut writer, std::slice::from_ref(&long)), expected);
    let splits = ContinuousModel::take_splits;
    assert_eq!((splits(&mut writer), splits(&mut writer)), (2, 0), "256, 128, 64");
    writer.room_for = Some(0);
    ContinuousModel::join(&mut writer, &long).unwrap();
    let failed = (0..3).find_map(|_| ContinuousModel::step(&mut writer).err()).unwrap();
    assert!(failed.to_string().contains("OUT_OF_MEMORY"), "{failed}");
}

#[test]
fn who_waits_is_told_how_far_a_text_is() {
    let (mut writer, request) = (writer(64), request(&[1, 2], 4));
    ContinuousModel::join(&mut writer, &request).unwrap();
    let told: Vec<usize> = (0..4)
        .map(|_| {
            ContinuousModel::step(&mut writer).unwrap();
            request.progress.written()
        })
        .collect();
    assert_eq!(told, [1, 2, 3, 4]);
}
