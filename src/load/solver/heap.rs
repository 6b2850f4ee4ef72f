//! A heap of rows by the level at which they fill up, in which a row can move.
#![expect(
    clippy::indexing_slicing,
    reason = "places in the heap and of the heap's items are kept in step, and both vectors have the size of the rows"
)]

const ABSENT: usize = usize::MAX;

/// The smallest key first. Keys are numbers, never NaN.
#[derive(Debug, Default)]
pub(super) struct Heap {
    items: Vec<(f64, usize)>,
    /// The place of each row among the items.
    place: Vec<usize>,
}

impl Heap {
    /// Empties it, for rows below `rows`.
    pub(super) fn clear(&mut self, rows: usize) {
        self.items.clear();
        self.place.clear();
        self.place.resize(rows, ABSENT);
    }

    pub(super) fn first(&self) -> Option<(f64, usize)> {
        self.items.first().copied()
    }

    /// Puts a row in, or moves it.
    pub(super) fn set(&mut self, row: usize, key: f64) {
        let at = self.place[row];
        if at == ABSENT {
            let at = self.items.len();
            self.items.push((key, row));
            self.place[row] = at;
            self.up(at);
        } else if key < self.items[at].0 {
            self.items[at].0 = key;
            self.up(at);
        } else if key > self.items[at].0 {
            self.items[at].0 = key;
            self.down(at);
        }
    }

    /// Puts a row in, or moves it towards the first; one that has a smaller key stays.
    pub(super) fn lower(&mut self, row: usize, key: f64) {
        let at = self.place[row];
        if at == ABSENT || key < self.items[at].0 {
            self.set(row, key);
        }
    }

    /// Takes the first out.
    pub(super) fn drop_first(&mut self) {
        let Some((_, row)) = self.first() else { return };
        self.place[row] = ABSENT;
        self.items.swap_remove(0);
        if let Some((_, moved)) = self.first() {
            self.place[moved] = 0;
            self.down(0);
        }
    }

    fn up(&mut self, mut at: usize) {
        let item = self.items[at];
        while at > 0 {
            let above = (at - 1) / 2;
            if self.items[above].0 <= item.0 {
                break;
            }
            self.items[at] = self.items[above];
            self.place[self.items[at].1] = at;
            at = above;
        }
        self.items[at] = item;
        self.place[item.1] = at;
    }

    fn down(&mut self, mut at: usize) {
        let item = self.items[at];
        loop {
            let mut below = 2 * at + 1;
            if below >= self.items.len() {
                break;
            }
            if below + 1 < self.items.len() && self.items[below + 1].0 < self.items[below].0 {
                below += 1;
            }
            if self.items[below].0 >= item.0 {
                break;
            }
            self.items[at] = self.items[below];
            self.place[self.items[at].1] = at;
            at = below;
        }
        self.items[at] = item;
        self.place[item.1] = at;
    }
}
