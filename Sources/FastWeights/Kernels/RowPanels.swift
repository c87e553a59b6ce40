/// Calls `body` with sixteen rows of `values`, [rows, width], at a time: a row a lane, the lanes behind the last row zero.
/// What `body` leaves in the panel becomes the rows. `rows` says which they are.
func forEachPanel(of values: inout [Float], width: Int, _ body: (_ panel: Panel, _ rows: Range<Int>) -> Void) {
    let panel = Buffer<Lanes>(width)
    let count = width > 0 ? values.count / width : 0
    for first in stride(from: 0, to: count, by: Lanes.width) {
        let rows = first..<min(first + Lanes.width, count)
        if rows.count < Lanes.width { panel.clear() }
        for (lane, row) in rows.enumerated() {
            for c in 0..<width { panel.pointer[c][lane] = values[row * width + c] }
        }
        body(panel.pointer, rows)
        for (lane, row) in rows.enumerated() {
            for c in 0..<width { values[row * width + c] = panel.pointer[c][lane] }
        }
    }
}

/// softmax of each row of `logits`, [rows, classes]: e^z_c / Σ_k e^z_k, exact for any finite logits. Traps unless there are
/// whole rows. O(numbers).
public func softmax(_ logits: [Float], classes: Int) -> [Float] {
    require(
        classes > 0 && logits.count % classes == 0,
        "a softmax has rows of 1 or more classes; found \(logits.count) numbers in rows of \(classes)")
    var result = logits
    forEachPanel(of: &result, width: classes) { panel, _ in softmax(panel, classes: classes) }
    return result
}
