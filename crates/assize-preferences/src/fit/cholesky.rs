//! Solving a small symmetric system of equations. Arithmetic only: it knows nothing of weights or labels.

/// Solves `matrix · x = right` for a symmetric, positive definite `matrix`, of which only the lower triangle is read.
///
/// `None` where the matrix is not positive definite, to rounding.
pub(super) fn solve(matrix: &[Vec<f64>], right: &[f64]) -> Option<Vec<f64>> {
    let triangle = decompose(matrix)?;
    Some(backward(&triangle, forward(&triangle, right)))
}

/// The lower triangle `L` with `L · Lᵀ = matrix`, row by row; each row ends in its pivot.
fn decompose(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut triangle: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (place, given) in matrix.iter().enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(place + 1);
        for (above, value) in triangle.iter().zip(given) {
            // `row` is shorter than `above` by its pivot, so that the product stops before it.
            row.push((value - dot(&row, above)) / above.last()?);
        }
        let square = given.get(place)? - dot(&row, &row);
        let is_positive = square > 0.0;
        row.push(is_positive.then(|| square.sqrt())?);
        triangle.push(row);
    }
    Some(triangle)
}

/// Solves `L · y = right`.
fn forward(triangle: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solved: Vec<f64> = Vec::with_capacity(right.len());
    for (row, value) in triangle.iter().zip(right) {
        let pivot = row.last().copied().unwrap_or(1.0);
        solved.push((value - dot(&solved, row)) / pivot);
    }
    solved
}

/// Solves `Lᵀ · x = y`.
fn backward(triangle: &[Vec<f64>], mut values: Vec<f64>) -> Vec<f64> {
    let mut solved = Vec::with_capacity(values.len());
    for row in triangle.iter().rev() {
        let (Some(value), Some(pivot)) = (values.pop(), row.last()) else { break };
        let value = value / pivot;
        for (left, factor) in values.iter_mut().zip(row) {
            *left -= factor * value;
        }
        solved.push(value);
    }
    solved.reverse();
    solved
}

/// The sum of products, as far as the shorter one goes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_by_hand() {
        // L = [[2], [1, 3], [-1, 2, 1]], x = [1, -2, 3].
        let matrix = [vec![4.0, 2.0, -2.0], vec![2.0, 10.0, 5.0], vec![-2.0, 5.0, 6.0]];
        let solved = solve(&matrix, &[-6.0, -3.0, 6.0]).unwrap();
        let expected = [1.0, -2.0, 3.0];
        assert!(solved.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{solved:?}");
    }

    #[test]
    fn what_is_not_positive_definite_has_no_answer() {
        assert_eq!(solve(&[vec![1.0, 2.0], vec![2.0, 1.0]], &[1.0, 1.0]), None);
        assert_eq!(solve(&[vec![f64::NAN]], &[1.0]), None);
        assert_eq!(solve(&[], &[]), Some(Vec::new()));
    }
}
