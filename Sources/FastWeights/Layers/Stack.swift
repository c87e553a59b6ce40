extension Layer {
    /// PyTorch's layers of one kind and size: `nn.RNN`, `nn.LSTM`, `nn.GRU` with `num_layers`, `bidirectional` and `dropout`.
    ///
    /// Layer k's parameters have PyTorch's names: those of the cell with `_l<k>`, and `_l<k>_reverse` of the other direction.
    /// Dropout acts between the layers. Traps on a layer that is no recurrent cell.
    public static func stack(
        _ layer: Layer, layers: Int, isBidirectional: Bool = false, dropout: Float = 0
    ) -> Layer {
        guard let cell = layer.kind.cell else {
            misuse("a stack is made of a recurrent layer; \(layer.kind.name) was given")
        }
        return Layer(StackLayer(cell, layers: layers, isBidirectional: isBidirectional, dropout: dropout))
    }
}

extension Layer {
    /// As many layers of a cell in the simplest way.
    static func stacked(
        _ cell: Layer, layers: Int, isBidirectional: Bool = false, dropout: Float = 0
    ) -> Layer {
        layers > 1
            ? .stack(cell, layers: layers, isBidirectional: isBidirectional, dropout: dropout)
            : isBidirectional ? .bidirectional(cell) : cell
    }
}

/// Layers of one cell; see `Layer.stack`.
final class StackLayer: LayerKind {
    let inner: any CellKind
    let layers: Int
    let isBidirectional: Bool
    let dropout: Float

    init(_ cell: any CellKind, layers: Int, isBidirectional: Bool, dropout: Float) {
        (inner, self.layers, self.isBidirectional, self.dropout) = (cell, layers, isBidirectional, dropout)
    }

    var name: String { "stack" }
    var options: [JSON.Member] {
        [
            JSON.Member(key: "cell", value: inner.layer.json), JSON.Member("layers", layers),
            JSON.Member("bidirectional", isBidirectional), JSON.Member("dropout", dropout),
        ]
    }
    var readsTable: Bool { true }
    var forms: [any LayerKind] {
        inner.forms.compactMap { form in
            form.cell.map { StackLayer($0, layers: layers, isBidirectional: isBidirectional, dropout: dropout) }
        }
    }

    func problem(reading input: LayerShape) -> String? {
        guard (1...PlacedList.limit).contains(layers) else {
            return "it needs from 1 to \(PlacedList.limit) layers, found \(layers)"
        }
        return dropoutProblem(dropout) ?? inner.problem(reading: input)
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        var next = input
        var children: [PlacedLayer] = []
        for layer in 0..<layers {
            let suffix = "_l\(layer)"
            let ahead = inner.placedCell(next, suffix: suffix, &scope)
            if isBidirectional {
                children.append(PlacedBidirectional(ahead, inner.placedCell(next, suffix: suffix + "_reverse", &scope)))
            } else {
                children.append(ahead)
            }
            next = LayerInput(shape: children[children.count - 1].output, tokens: nil)
            if dropout > 0 && layer + 1 < layers {
                children.append(PlacedDropout(rate: dropout, next.shape, number: scope.takeNumber()))
            }
        }
        return PlacedList(input.shape, children)
    }
}
