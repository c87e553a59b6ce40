/// The layers between the network and what its head does with the last frame: masks, paint, kernels, taps or affine maps, of
/// n5, flattened, and of d3.
struct HeadLayers {
    private let configuration: VideoConfiguration
    private let masks: MapConvolution.Placed?
    private let paint: MapConvolution.Placed?
    private let taps: MapConvolution.Placed?
    private let kernels: VectorProduct.Placed?
    private let affine: (VectorProduct.Placed, VectorProduct.Placed)?

    /// Numbers between n5 and the affine maps.
    private static let hidden = 100

    /// `flattened` numbers of n5, `maps` of d3.
    init(_ c: VideoConfiguration, flattened: Int, maps: Int, _ scope: inout ParameterScope) {
        configuration = c
        /// A number of d3's maps at each pixel.
        func layer(_ name: String, _ features: Int) -> MapConvolution.Placed {
            scope.addConvolution(
                name,
                Convolution(
                    channels: maps, features: features, rows: FilterAxis(reading: c.height, size: 1, stride: 1, nil),
                    columns: FilterAxis(reading: c.width, size: 1, stride: 1, nil)), isTransposed: false, hasBias: true)
        }
        let area = c.kernelSize * c.kernelSize
        switch c.head {
        case .cdna:
            // Near the kernel that moves nothing.
            kernels = scope.addProduct(
                "kernels", inputs: flattened, outputs: c.kernels * area,
                bias: .every(area, from: area / 2, 1))
            affine = nil
        case .stp:
            let first = scope.addProduct("stp1", inputs: flattened, outputs: Self.hidden)
            affine = (
                first,
                scope.addProduct("stp2", inputs: Self.hidden, outputs: 6 * c.affineMaps, weight: .constant(0))
            )
            kernels = nil
        case .dna, .paint, .convlstm: (kernels, affine) = (nil, nil)
        }
        taps = c.head == .dna ? layer("taps", area) : nil
        masks = c.head == .paint ? nil : layer("masks", c.masks)
        paint = c.head == .dna ? nil : layer("paint", c.channels)
    }

    /// The operations behind the network's, and the maps whose gradients begin with 0 at every step.
    func operations(
        _ numbers: UnsafeMutablePointer<Float>, _ n5: PlanarRange, _ d3: PlanarRange,
        _ ends: (input: PlanarMaps, next: PlanarMaps), _ plan: VideoPlan
    ) -> (operations: [VideoOperation], cleared: [PlanarMaps]) {
        var (operations, cleared) = ([VideoOperation](), [PlanarMaps]())
        func make(_ channels: Int, _ height: Int = 1, _ width: Int = 1) -> PlanarMaps {
            let maps = plan.maps(channels, height, width)
            cleared.append(maps)
            return maps
        }
        /// What a layer makes of d3 at every pixel; nil without one.
        func ofPixels(_ placed: MapConvolution.Placed?) -> PlanarMaps? {
            guard let placed else { return nil }
            let maps = make(placed.convolution.features, configuration.height, configuration.width)
            operations.append(MapConvolution(placed, numbers, from: d3, to: maps.all, isRectified: false))
            return maps
        }
        func ofVector(_ placed: VectorProduct.Placed, _ source: PlanarRange, isRectified: Bool = false) -> PlanarMaps {
            let maps = make(placed.outputs)
            operations.append(
                VectorProduct(placed, numbers, from: source, to: maps.all, isRectified: isRectified, plan))
            return maps
        }
        var motion = kernels.map { ofVector($0, n5) }
        if let affine { motion = ofVector(affine.1, ofVector(affine.0, n5, isRectified: true).all) }
        let (masks, paint, taps) = (ofPixels(masks), ofPixels(paint), ofPixels(taps))
        operations.append(
            FrameHead(
                configuration, numbers, input: ends.input, next: ends.next,
                HeadMaps(masks: masks, paint: paint, taps: taps, motion: motion), plan))
        return (operations, cleared)
    }
}
