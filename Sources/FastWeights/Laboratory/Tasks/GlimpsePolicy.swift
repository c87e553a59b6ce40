/// Where a network looks at an image, step by step: the fixed order of section 4.2 of Ba et al. 2016.
///
/// The image is cut into four quadrants, each quadrant into four patches. A quadrant is seen coarsely, at half the
/// resolution, then its four patches in full, then coarsely again: 4 · (1 + 4 + 1) = 24 glimpses of P by P. The paper says
/// "24 glimpses" and "two scales" but not the order; four coarse and sixteen fine views are 20, and with the coarse view
/// as the step that integrates what came before, 24.
struct GlimpsePolicy: Sendable, Equatable {
    /// P, pixels on a side of a patch; the image has 4·P.
    let patch: Int
    let controls: Controls

    /// What the network is told beside the patch.
    enum Controls: String, Sendable {
        /// One of three: a coarse view, a detail, the coarse view again.
        case kind
        /// The same, and one of four for the quadrant, one of four for the detail.
        case place

        var count: Int { self == .kind ? 3 : 11 }
    }

    /// A glimpse: what kind it is, of which quadrant, and of a detail which of four.
    struct Glimpse: Sendable, Equatable {
        enum Kind: Int, Sendable { case coarse, detail, integration }
        let kind: Kind
        let quadrant: Int
        var detail = 0
    }

    /// The glimpses of one image.
    static let order: [Glimpse] = (0..<4).flatMap { q in
        [Glimpse(kind: .coarse, quadrant: q)] + (0..<4).map { Glimpse(kind: .detail, quadrant: q, detail: $0) }
            + [Glimpse(kind: .integration, quadrant: q)]
    }

    /// What the fast weights do at these steps: a coarse view is written and h cleared, the integration reads.
    static let schedule: [FastWeightsOptions.MemoryEvents] = [[.write, .clear], [], [], [], [], .read]

    /// A policy for images of `side` by `side`. Traps unless that is a multiple of 4.
    init(side: Int, controls: Controls = .kind) {
        require(
            side > 0 && side % 4 == 0, "an image for glimpses has a multiple of 4 pixels a side, found \(side)")
        (patch, self.controls) = (side / 4, controls)
    }

    /// Pixels on a side of the image.
    var side: Int { 4 * patch }
    /// Numbers a step.
    var width: Int { patch * patch + controls.count }
}
