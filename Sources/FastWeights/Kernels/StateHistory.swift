// Reads of the fast memory in list form, equation (4) of Ba et al. 2016, and their gradients:
//
//     z += Σ_e w_e h_e [h_e·q],   dq += Σ_e w_e h_e [h_e·dz],   dh_e += w_e ([h_e·q] dz + [h_e·dz] q)
//
// Everything is a panel of sixteen sequences, each lane with a list of its own. The kernels take four states of the
// list at a time: a row of q then serves four, and the states are still in the first-level cache when the second pass
// needs them again.

/// States of a list: state e is the panel at pointer + e·stride, its weight w_e = weights[-e].
struct StateHistory {
    var states: PanelSequence
    var count: Int
    var rows: Int
    /// The weight of the oldest state; each younger one stands before it.
    var weights: UnsafePointer<Float>

    /// z += Σ w h [h·q]; scores[e] = h_e·q.
    @inline(never)
    func read(_ q: Panel, into z: Panel, scores: Panel) {
        var (e, left) = (0, count)
        while left >= 4 {
            read(FourStates.self, e, q, z, scores + e)
            e &+= 4
            left &-= 4
        }
        if left >= 2 {
            read(TwoStates.self, e, q, z, scores + e)
            e &+= 2
            left &-= 2
        }
        if left == 1 { read(OneState.self, e, q, z, scores + e) }
    }

    /// The gradients of `read`, with its scores: dq, and those of the states in `gradients`.
    @inline(never)
    func readBackward(_ q: Panel, _ dz: Panel, into dq: Panel, gradients: PanelSequence, scores: Panel) {
        var (e, left) = (0, count)
        while left >= 2 {
            readBackward(TwoStates.self, e, q, dz, dq, gradients, scores + e)
            e &+= 2
            left &-= 2
        }
        if left == 1 { readBackward(OneState.self, e, q, dz, dq, gradients, scores + e) }
    }

    @inline(__always)
    private func read<Group: StateGroup>(_: Group.Type, _ e: Int, _ q: Panel, _ z: Panel, _ scores: Panel) {
        let stride = states.stride
        let first = states[e]
        var dots = Group()
        var r = 0
        while r < rows {
            dots.add(q[r], first + r, stride)
            r &+= 1
        }
        dots.store(at: scores)
        let weighted = dots.weighted(weights - e)
        r = 0
        while r < rows {
            z[r] = weighted.combined(z[r], first + r, stride)
            r &+= 1
        }
    }

    @inline(__always)
    private func readBackward<Group: StateGroup>(
        _: Group.Type, _ e: Int, _ q: Panel, _ dz: Panel, _ dq: Panel, _ gradients: PanelSequence, _ scores: Panel
    ) {
        let stride = states.stride
        let first = states[e]
        var dots = Group()
        var r = 0
        while r < rows {
            dots.add(dz[r], first + r, stride)
            r &+= 1
        }
        let dScores = dots.weighted(weights - e)
        let weighted = Group(at: scores).weighted(weights - e)
        let target = gradients[e]
        r = 0
        while r < rows {
            dq[r] = dScores.combined(dq[r], first + r, stride)
            weighted.add(dz[r], dScores, q[r], to: target + r, gradients.stride)
            r &+= 1
        }
    }
}

/// One number of each of a few states, in each lane. As `RowTile`, stacks which the compiler unrolls.
private protocol StateGroup {
    static var states: Int { get }
    init()
    init(at scores: Panel)
    func store(at scores: Panel)
    /// Adds x·h_e for the row at `row` of each state.
    mutating func add(_ x: Lanes, _ row: Panel, _ stride: Int)
    /// Each times its weight; those of younger states stand before.
    func weighted(_ weights: UnsafePointer<Float>) -> Self
    /// sum + Σ self_e·h_e.
    func combined(_ sum: Lanes, _ row: Panel, _ stride: Int) -> Lanes
    /// g_e += self_e·x + other_e·y.
    func add(_ x: Lanes, _ other: Self, _ y: Lanes, to g: Panel, _ stride: Int)
}

private struct OneState: StateGroup {
    @inline(__always) static var states: Int { 1 }
    var value: Lanes

    @inline(__always) init() { value = .zero }
    @inline(__always) init(at scores: Panel) { value = scores.pointee }
    @inline(__always) func store(at scores: Panel) { scores.pointee = value }
    @inline(__always) mutating func add(_ x: Lanes, _ row: Panel, _ stride: Int) { value = value.mad(row.pointee, x) }
    @inline(__always) func weighted(_ weights: UnsafePointer<Float>) -> OneState {
        var result = self
        result.value *= weights.pointee
        return result
    }
    @inline(__always) func combined(_ sum: Lanes, _ row: Panel, _ stride: Int) -> Lanes {
        sum.mad(value, row.pointee)
    }
    @inline(__always) func add(_ x: Lanes, _ other: OneState, _ y: Lanes, to g: Panel, _ stride: Int) {
        g.pointee = g.pointee.mad(value, x).mad(other.value, y)
    }
}

private struct StatePair<Half: StateGroup>: StateGroup {
    @inline(__always) static var states: Int { 2 &* Half.states }
    var older: Half
    var younger: Half

    @inline(__always) init() {
        older = Half()
        younger = Half()
    }
    @inline(__always) init(at scores: Panel) {
        older = Half(at: scores)
        younger = Half(at: scores + Half.states)
    }
    @inline(__always) func store(at scores: Panel) {
        older.store(at: scores)
        younger.store(at: scores + Half.states)
    }
    @inline(__always) mutating func add(_ x: Lanes, _ row: Panel, _ stride: Int) {
        older.add(x, row, stride)
        younger.add(x, row + Half.states &* stride, stride)
    }
    @inline(__always) func weighted(_ weights: UnsafePointer<Float>) -> StatePair {
        var result = self
        result.older = older.weighted(weights)
        result.younger = younger.weighted(weights - Half.states)
        return result
    }
    @inline(__always) func combined(_ sum: Lanes, _ row: Panel, _ stride: Int) -> Lanes {
        younger.combined(older.combined(sum, row, stride), row + Half.states &* stride, stride)
    }
    @inline(__always) func add(_ x: Lanes, _ other: StatePair, _ y: Lanes, to g: Panel, _ stride: Int) {
        older.add(x, other.older, y, to: g, stride)
        younger.add(x, other.younger, y, to: g + Half.states &* stride, stride)
    }
}

private typealias TwoStates = StatePair<OneState>
private typealias FourStates = StatePair<TwoStates>
