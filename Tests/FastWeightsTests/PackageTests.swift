import Testing
@testable import FastWeights
