/// Numbers of an image, or of what a layer makes of it: channels, rows and columns.
struct MapShape: Sendable, Equatable {
    /// Maps one behind the other.
    var channels: Int
    /// Rows of each.
    var height: Int
    /// Numbers a row.
    var width: Int

    /// Numbers in all.
    var count: Int { channels * area }
    /// Numbers of a map.
    var area: Int { height * width }
}

/// Rows and columns: of a filter, or from one place of it to the next.
///
///     let square: MapSize = 5
///     let flat = MapSize(3, 5)  // 3 rows, 5 columns
public struct MapSize: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int

    /// So many rows and columns.
    public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }

    /// As many rows as columns.
    public init(_ side: Int) { self.init(side, side) }

    /// As many rows as columns.
    public init(integerLiteral side: Int) { self.init(side) }

    /// To be read by people.
    var text: String { "\(height) by \(width)" }
}

/// The zeros that a convolution reads around its maps.
public enum MapPadding: Sendable, Equatable {
    /// So many rows above and below, and columns on the left and on the right.
    case zeros(top: Int, bottom: Int, left: Int, right: Int)
    /// TensorFlow's and Keras' "SAME": as many as maps of n rows, or columns, need to become ⌈n / stride⌉; where the number is
    /// odd, the greater half stands below and on the right.
    case same

    /// No zeros.
    public static let none = MapPadding.zeros(top: 0, bottom: 0, left: 0, right: 0)

    /// As many rows above as below, and columns on the left as on the right: PyTorch's `padding`.
    public static func zeros(_ size: MapSize) -> MapPadding {
        .zeros(top: size.height, bottom: size.height, left: size.width, right: size.width)
    }

    /// Those before the first row and behind the last; nil of SAME.
    var rows: FilterAxis.Padding? {
        if case .zeros(let top, let bottom, _, _) = self {
            FilterAxis.Padding(before: top, behind: bottom)
        } else {
            nil
        }
    }

    /// Those before the first column and behind the last; nil of SAME.
    var columns: FilterAxis.Padding? {
        if case .zeros(_, _, let left, let right) = self {
            FilterAxis.Padding(before: left, behind: right)
        } else {
            nil
        }
    }

    /// To be read by people.
    var text: String {
        switch self {
        case .same: "SAME"
        case .zeros(let top, let bottom, let left, let right):
            Set([top, bottom, left, right]).count == 1 ? "\(top)" : [top, bottom, left, right].text
        }
    }
}
