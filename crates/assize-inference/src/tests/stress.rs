//! Many requests, real threads, a small room: each job is answered exactly once.

use super::fakes::{Bench, EMPTY, Fake, Item, Trouble, bench_of, check_metrics, demand, in_millis, item};
use crate::{Admission, InferError, ModelHandle, Refused, WorkerThreads};
use std::collections::BTreeMap;

const CLIENTS: u32 = 32;
const REQUESTS: u32 = 40;

/// What one client makes of its requests: (answered, failed, hung up on).
async fn client(number: u32, admission: Admission, handle: ModelHandle<Fake>) -> (u32, u32, u32) {
    let mut counts = (0, 0, 0);
    for round in 0..REQUESTS {
        let first = (number * REQUESTS + round) * 10;
        // Of all sizes; one in 11 rounds is poisonous; one in 7 is hung up on.
        let items: Vec<Item> = (0..1 + round % 3)
            .map(|i| Item { tokens: 1 + ((number + round + i) % 33) as usize, ..item(first + i) })
            .map(|item| if round % 11 == 5 { Item { trouble: Trouble::Fails, ..item } } else { item })
            .collect();
        let deadline = in_millis(60_000);
        let permit = loop {
            match admission.try_admit(demand(&items), deadline) {
                Ok(permit) => break permit,
                Err(Refused::Overloaded { .. }) => tokio::task::yield_now().await,
                Err(refused) => panic!("{refused}"),
            }
        };
        let expected: Vec<u32> = items.iter().map(|item| item.id).collect();
        let request = {
            let handle = handle.clone();
            tokio::spawn(async move { handle.infer_all(items, permit, deadline).await })
        };
        if round % 7 == 3 {
            request.abort();
            // Until the runtime has dropped it, it holds its permit.
            let _aborted = request.await;
            counts.2 += 1;
            continue;
        }
        match request.await.unwrap() {
            Ok(outputs) => {
                assert_eq!(outputs, expected);
                counts.0 += 1;
            }
            Err(InferError::ModelFailed { .. }) if round % 11 == 5 => counts.1 += 1,
            Err(error) => panic!("{error}"),
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_job_is_answered_exactly_once() {
    let Bench { worker, mut others, handle, admission, metrics, calls, .. } = bench_of(3, 4);
    others.push(worker);
    let threads = WorkerThreads::spawn(others).unwrap();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(number, admission.clone(), handle.clone()))).collect();
    let mut total = (0, 0, 0);
    for client in clients {
        let counts = client.await.unwrap();
        total = (total.0 + counts.0, total.1 + counts.1, total.2 + counts.2);
    }
    assert_eq!(total.0 + total.1 + total.2, CLIENTS * REQUESTS);
    threads.shutdown(in_millis(60_000));
    threads.join(in_millis(60_000)).await.unwrap();
    check_metrics(&metrics, &EMPTY);

    let mut times: BTreeMap<u32, u32> = BTreeMap::new();
    for id in calls.lock().unwrap().iter().flatten() {
        *times.entry(*id).or_default() += 1;
    }
    // Once in a batch and, where that failed, once alone.
    assert!(times.values().all(|count| *count <= 2), "{times:?}");
}
