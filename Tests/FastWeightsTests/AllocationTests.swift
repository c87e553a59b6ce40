// No allocation in a step. On Linux the linker gives the program of the tests (see Package.swift) these functions for
// `malloc` and its kin, which then every library of the process calls, and they count the calls of one thread.
#if os(Linux) && canImport(Glibc)
    import Glibc
    import Testing

    @testable @_spi(Laboratory) import FastWeights

    @_silgen_name("__libc_malloc") private func libcMalloc(_ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_calloc") private func libcCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_realloc")
    private func libcRealloc(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_memalign")
    private func libcMemalign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

    /// The thread whose allocations count, and how many it made.
    nonisolated(unsafe) private var watched: UInt = 0
    nonisolated(unsafe) private var allocations = 0

    @inline(__always) private func count() {
        if watched != 0 && pthread_self() == watched { allocations &+= 1 }
    }

    @_cdecl("counted_malloc") public func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
        count()
        return libcMalloc(size)
    }

    @_cdecl("counted_calloc") public func countedCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        FastWeightsTests.count()
        return libcCalloc(count, size)
    }

    @_cdecl("counted_realloc")
    public func countedRealloc(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        count()
        return libcRealloc(pointer, size)
    }

    @_cdecl("counted_aligned_alloc") public func countedAlignedAlloc(_ alignment: Int, _ size: Int)
        -> UnsafeMutableRawPointer?
    {
        count()
        return libcMemalign(alignment, size)
    }

    @_cdecl("counted_posix_memalign")
    public func countedPosixMemalign(
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
    ) -> Int32 {
        count()
        result.pointee = libcMemalign(alignment, size)
        return result.pointee == nil ? ENOMEM : 0
    }

    /// Whether this is a build of make sanitize, in which nothing is put in malloc's place.
    private var isSanitized: Bool {
        #if SANITIZED
            true
        #else
            false
        #endif
    }

    @Suite(
        .serialized,
        .disabled(if: isSanitized, "the sanitizers bring a malloc of their own, so allocations cannot be counted"))
    struct AllocationTests {
        static let cells: [Cell] = [
            .irnn(), .rnn(activation: .tanh, hasLayerNorm: true), .lstm(), .lstm(hasLayerNorm: true), .gru,
            .fastWeights(),
            .fastWeights(FastWeightsOptions(innerSteps: 2, memory: .chunks(3))),
            .fastWeights(FastWeightsOptions(schedule: [[.write, .clear], [], .write, .read])),
            .associativeLSTM(AssociativeLSTMOptions(copies: 3, keys: 2)),
        ]

        /// Allocations of this thread in `body`.
        static func allocations(_ body: () -> Void) -> Int {
            FastWeightsTests.allocations = 0
            watched = pthread_self()
            body()
            watched = 0
            return FastWeightsTests.allocations
        }

        @Test func allocationsAreCounted() {
            var kept: [Buffer<Float>] = []
            kept.reserveCapacity(10)
            #expect(Self.allocations { kept.append(Buffer(100)) } >= 2)
            #expect(Self.allocations { kept[0].pointer[0] = 1 } == 0)
        }

        @Test(arguments: cells)
        func aThousandTrainingStepsAllocateNothing(cell: Cell) throws {
            let examples = try AssociativeRetrieval(pairs: 2).generate(counts: [300], seed: 1)[0].sequences
            let model = TrainingTests.model(cell)
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(model.definition, model.parameters, longest: examples.longest, team: team)
                let optimizer = Optimizer(.adam(), model.parameters, engine.gradients, team: team)
                var order = BatchOrder(count: examples.count, batch: 75, seed: 1)
                func steps(_ count: Int) {
                    for _ in 0..<count {
                        order.advance()
                        _ = engine.gradient(examples, order.indices)
                        optimizer.step(rate: 1e-3, clip: 5)
                    }
                }
                steps(3)
                #expect(Self.allocations { steps(1000) } == 0)
            }
        }

        @Test(arguments: VideoHeadTests.settings)
        func headsOfVideoModelsAllocateNothing(setting: VideoHeadTests.Setting) {
            let (head, sizes) = (setting.head, type(of: setting.head).sizes(of: setting.options))
            let plane = setting.samples * setting.frame.area
            let counts = [
                setting.samples * sizes.kernels, plane * sizes.taps, setting.samples * sizes.transforms,
                plane * sizes.masks, plane * sizes.paint,
            ]
            let buffers = counts.map { Buffer<Float>($0) }
            let inputs = HeadInputs(
                kernels: buffers[0].pointer, taps: buffers[1].pointer, transforms: buffers[2].pointer,
                masks: buffers[3].pointer, paint: buffers[4].pointer)
            let frames = (0..<3).map { _ in Buffer<Float>(plane * setting.frame.channels) }
            let (x, y, dx) = (frames[0].pointer, frames[1].pointer, frames[2].pointer)
            func steps() {
                for _ in 0..<3 {
                    head.forward(inputs, previous: x, into: y)
                    head.backward(inputs, previous: x, dNext: y, gradients: inputs, addingTo: dx)
                }
            }
            steps()
            #expect(Self.allocations { steps() } == 0)
            withExtendedLifetime((buffers, frames)) {}
        }

        @Test(arguments: OptimizerTests.rules)
        func stepsOfOnesOwnAllocateNothing(rule: OptimizerRule) {
            var layout = Parameters.Layout()
            layout.append("a", 5000)
            let block = Parameters(layout)
            let optimizer = Optimizer(rule, block, Parameters(layout))
            #expect(Self.allocations { for _ in 0..<10 { optimizer.step(rate: 1e-3, clip: 5) } } == 0)
        }

        @Test(arguments: PlanarConvolutionTests.grid)
        func planarConvolutionsAllocateNothing(sizes: PlanarConvolutionTests.Sizes) {
            let shard = PlanarConvolutionTests.Shard(sizes)
            #expect(
                Self.allocations {
                    shard.filters.pack()
                    shard.forward()
                    shard.backward()
                } == 0)
        }

        @Test(arguments: VideoConfiguration.Head.allCases)
        func videoModelsAllocateNothing(head: VideoConfiguration.Head) {
            let model = VideoModel(VideoModelTests.configuration(head), seed: 1)
            let batch = VideoModelTests.batch(model.configuration, clips: 3)
            let sampled = ScheduledSampling(decay: 3).draw(steps: 4, batch: 3, step: 3, seed: 1)
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelVideo(model.network, model.parameters, frames: 5, team: team)
                func step() { _ = engine.gradient(batch, sampled: sampled) }
                step()
                #expect(Self.allocations { for _ in 0..<3 { step() } } == 0)
            }
        }

        @Test(arguments: cells, [TestHead.perSequence(3), .perStep(3)])
        func trainingStepsOnSequencesAllocateNothing(cell: Cell, head: TestHead) throws {
            for isToken in [false, true] {
                let network = Network(
                    NetworkConfiguration.stack(
                        cell, input: 5, hidden: 6, layers: 2, isBidirectional: true, dropout: 0.2, head: head,
                        tokens: isToken), seed: 1)
                let data = try SequenceTrainingTests.data(head, count: 90, isToken: isToken)
                ThreadTeam.run(threads: 1) { team in
                    let engine = ParallelTraining(
                        network.definition, network.parameters, longest: data.longest,
                        team: team)
                    let optimizer = Optimizer(.adam(), network.parameters, engine.gradients, team: team)
                    var order = BatchOrder(count: data.count, batch: 37, seed: 1)
                    func steps(_ count: Int) {
                        for step in 0..<count {
                            order.advance()
                            _ = engine.gradient(data, order.indices, dropoutSeed: UInt64(step))
                            optimizer.step(rate: 1e-3, clip: 5)
                        }
                    }
                    steps(3)
                    #expect(Self.allocations { steps(50) } == 0)
                }
            }
        }

        @Test(arguments: TrainingLossTests.losses, [TestHead.perSequence(3), .perStep(3)])
        func trainingStepsWithALossAllocateNothing(loss: Loss, head: TestHead) throws {
            let network = Network(NetworkConfiguration.stack(.gru, input: 5, hidden: 4, head: head), seed: 1)
            let data = try TrainingLossTests.data(loss, head, count: 40).measured(
                by: loss, network.definition, as: "the data")
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(network.definition, network.parameters, longest: 9, team: team)
                var order = BatchOrder(count: data.count, batch: 37, seed: 1)
                func steps(_ count: Int) {
                    for _ in 0..<count {
                        order.advance()
                        _ = engine.gradient(data, order.indices)
                    }
                }
                steps(3)
                #expect(Self.allocations { steps(50) } == 0)
            }
        }

        @Test(arguments: cells)
        func trainingStepsOnATextAllocateNothing(cell: Cell) throws {
            let vocabulary = TextVocabulary(of: TextModelTests.content)
            let model = TextModel(cell, hidden: 10, layers: 2, vocabulary: vocabulary, seed: 1)
            let text = try TrainingText(TextModelTests.content, vocabulary)
            ThreadTeam.run(threads: 1) { team in
                let source = TextSource(model, text, window: 8, streams: 35, team)
                let optimizer = Optimizer(.adam(), model.network.parameters, source.gradients, team: team)
                func steps(_ count: Int) {
                    for step in 0..<count {
                        _ = source.advance(step: step)
                        optimizer.step(rate: 1e-3, clip: 5)
                    }
                }
                steps(3)
                #expect(Self.allocations { steps(50) } == 0)
            }
        }

        @Test func trainingStepsOnImagesAllocateNothing() {
            let data = GlimpseData.generatedDigits(training: 200, test: 10, seed: 1)
            let glimpses = data.sequences(.kind, shift: 1).training
            let network = Network(
                NetworkConfiguration.stack(
                    .fastWeights(), input: glimpses.width!, hidden: 7, head: .perSequence(10)), seed: 1)
            let images = data.sequences(nil, shift: 1).training
            let convolutions = Network(
                GlimpseModel.convolutions(side: 28, features: 5, classes: 10, .overlapping), seed: 1)
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(network.definition, network.parameters, longest: 24, team: team)
                let other = ParallelTraining(
                    convolutions.definition, convolutions.parameters, longest: 1, team: team)
                var order = BatchOrder(count: glimpses.count, batch: 37, seed: 1)
                func steps(_ count: Int) {
                    for step in 0..<count {
                        order.advance()
                        _ = engine.gradient(glimpses, order.indices, dropoutSeed: UInt64(step))
                        _ = other.gradient(images, order.indices, dropoutSeed: UInt64(step))
                    }
                }
                steps(3)
                #expect(Self.allocations { steps(20) } == 0)
            }
        }

        @Test(arguments: cells)
        func stepsOfEpisodesAllocateNothing(cell: Cell) throws {
            let agent = CatchAgent(cell, hidden: cell.size(7), task: try Catch(size: 6, visibleFrames: 2), seed: 1)
            var options = CatchOptions()
            options.workers = 2
            ThreadTeam.run(threads: 1) { team in
                let learner = SynchronousLearner(agent, options, team: team)
                var curve = CatchCurve()
                func steps(_ count: Int) {
                    for _ in 0..<count { try! learner.advance(&curve) }
                }
                steps(3)
                #expect(Self.allocations { steps(50) } == 0)
            }
        }

        @Test(arguments: cells)
        func aThousandStreamingStepsAllocateNothing(cell: Cell) throws {
            let stream = try NetworkStream(Network(NetworkConfiguration.cell(cell, input: 1, hidden: 20), seed: 1))
            var copy = [Float](repeating: 0, count: 20)
            var sum: Float = 0
            let allocations = Self.allocations {
                for i in 0..<1000 {
                    stream.step(Float(i % 7) * 0.1)
                    stream.copyOutput(into: &copy)
                    sum += stream.withOutput { $0[3] } + copy[19]
                }
            }
            #expect(allocations == 0 && sum.isFinite)
        }

        @Test(arguments: cells)
        func aThousandStepsOfTokensAllocateNothing(cell: Cell) throws {
            let configuration = NetworkConfiguration.stack(
                cell, input: 30, hidden: 20, layers: 2, head: .perStep(30), tokens: true)
            let stream = try NetworkStream(Network(configuration, seed: 1))
            #expect(Self.allocations { for i in 0..<1000 { stream.step(token: i % 30) } } == 0)
        }

        @Test(arguments: cells)
        func aThousandStepsThroughThreeLayersAllocateNothing(cell: Cell) throws {
            let configuration = NetworkConfiguration.stack(
                cell, input: 2, hidden: 20, layers: 3, head: .perStep(21))
            let stream = try NetworkStream(Network(configuration, seed: 1))
            var copy = [Float](repeating: 0, count: 21)
            var input = [Float](repeating: 1, count: 2)
            var sum: Float = 0
            let allocations = Self.allocations {
                for i in 0..<1000 {
                    input[0] = Float(i % 7) * 0.1
                    stream.step(input)
                    stream.copyOutput(into: &copy)
                    sum += stream.withOutput { $0[3] } + copy[19]
                }
            }
            #expect(allocations == 0 && sum.isFinite)
        }

        // MARK: Every kind of layer

        @Test(arguments: LayerNetworks.all)
        func trainingStepsOfEveryKindOfLayerAllocateNothing(configuration: NetworkConfiguration) throws {
            let network = Network(configuration, seed: 1)
            let first = network.parameters.block.array
            let data = try LayerNetworks.data(configuration, count: 90)
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
                let optimizer = Optimizer(.adam(), network.parameters, engine.gradients, team: team)
                var order = BatchOrder(count: data.count, batch: 37, seed: 1)
                func steps(_ count: Int) {
                    for step in 0..<count {
                        order.advance()
                        _ = engine.gradient(data, order.indices, dropoutSeed: UInt64(step))
                        optimizer.step(rate: 1e-3, clip: 5)
                    }
                }
                steps(3)
                #expect(Self.allocations { steps(20) } == 0)
            }
            #expect(network.parameters.block.array != first)
        }

        /// An evaluation makes what it needs once, whatever the number of sequences: a block and a window of its steps make
        /// nothing.
        @Test(arguments: LayerNetworks.all)
        func inferenceOfEveryKindOfLayerAllocatesNothingPerBlock(configuration: NetworkConfiguration) throws {
            let network = Network(configuration, seed: 1)
            let sets = try [40, 400].map { try LayerNetworks.data(configuration, count: $0, longest: 70) }
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelInference(network.definition.weights(network.parameters), team: team)
                var sum = 0.0
                let counts = (sets + sets).map { data in Self.allocations { sum += engine.evaluate(data).total } }
                #expect(counts[2] == counts[3] && sum.isFinite, "\(counts)")
            }
        }

        @Test(arguments: LayerNetworks.all.filter { !$0.definition.root.isReversed })
        func streamStepsOfEveryKindOfLayerAllocateNothing(configuration: NetworkConfiguration) throws {
            for precision in WeightPrecision.allCases {
                let weights = try NetworkStream.Weights(Network(configuration, seed: 1), precision: precision)
                let stream = NetworkStream(weights)
                let input = CellTests.random(configuration.definition.input.count, 4)
                var copy = [Float](repeating: 0, count: configuration.output)
                let isToken = configuration.definition.takesTokens
                let allocations = Self.allocations {
                    for i in 0..<200 {
                        if isToken { stream.step(token: i % 7) } else { stream.step(input) }
                        stream.copyOutput(into: &copy)
                    }
                }
                #expect(allocations == 0 && copy.allSatisfy(\.isFinite) && copy.contains { $0 != 0 })
            }
        }
    }
#endif
