import random
import unittest

import context  # noqa: F401
from apollo_vllm.rectangles import Piece, Rectangle, contiguous_strides, merged, rectangle_of_view


def cells(offset, sizes, strides):
    """The positions that a view walks over, in its order."""
    positions = [offset]
    for size, stride in zip(sizes, strides):
        positions = [position + i * stride for position in positions for i in range(size)]
    return positions


def cells_of(rectangle, shape):
    strides = contiguous_strides(shape)
    offset = sum(start * stride for start, stride in zip(rectangle.start, strides))
    return cells(offset, rectangle.length, strides)


class RectangleOfViewTests(unittest.TestCase):
    def test_rows_of_a_matrix(self):
        self.assertEqual(Rectangle((4, 0), (3, 8)), rectangle_of_view(32, (3, 8), (8, 1), (10, 8)))

    def test_columns_of_a_matrix(self):
        self.assertEqual(Rectangle((0, 4), (10, 4)), rectangle_of_view(4, (10, 4), (8, 1), (10, 8)))

    def test_an_expert_is_a_leading_index(self):
        self.assertEqual(Rectangle((2, 3, 0), (1, 3, 4)), rectangle_of_view(2 * 24 + 12, (3, 4), (4, 1), (5, 6, 4)))

    def test_a_flattened_view_is_recognised(self):
        self.assertEqual(Rectangle((1, 0, 0), (2, 1, 4)), rectangle_of_view(4, (8,), (1,), (5, 1, 4)))

    def test_a_split_axis_is_recognised(self):
        self.assertEqual(Rectangle((0, 0), (6, 4)), rectangle_of_view(0, (2, 3, 4), (12, 4, 1), (6, 4)))

    def test_a_scalar(self):
        self.assertEqual(Rectangle((), ()), rectangle_of_view(0, (), (), ()))

    def test_what_is_no_rectangle_is_refused(self):
        transposed = rectangle_of_view(0, (8, 10), (1, 8), (10, 8))
        every_second_row = rectangle_of_view(0, (5, 8), (16, 1), (10, 8))
        across_rows = rectangle_of_view(4, (8,), (1,), (10, 8))
        broadcast = rectangle_of_view(0, (10, 8), (0, 1), (10, 8))
        nothing = rectangle_of_view(0, (0, 8), (8, 1), (10, 8))
        outside = rectangle_of_view(80, (1, 8), (8, 1), (10, 8))
        self.assertEqual([None] * 6, [transposed, every_second_row, across_rows, broadcast, nothing, outside])

    def test_any_narrowed_and_reshaped_view_gives_its_cells_in_order(self):
        chance = random.Random(7)
        for _ in range(2000):
            shape = [chance.randint(1, 5) for _ in range(chance.randint(1, 4))]
            start = [chance.randrange(size) for size in shape]
            length = [chance.randint(1, size - first) for size, first in zip(shape, start)]
            strides = contiguous_strides(shape)
            offset = sum(first * stride for first, stride in zip(start, strides))
            expected = cells(offset, length, strides)
            kept = [axis for axis in range(len(shape)) if length[axis] > 1 or chance.random() < 0.5]
            found = rectangle_of_view(offset, [length[a] for a in kept], [strides[a] for a in kept], shape)
            self.assertIsNotNone(found)
            self.assertEqual(expected, cells_of(found, shape))


class MergedTests(unittest.TestCase):
    def piece(self, live, file, rows):
        return Piece(Rectangle((live, 0), (rows, 4)), Rectangle((file, 0), (rows, 4)))

    def test_neighbours_on_both_sides_become_one(self):
        self.assertEqual([self.piece(2, 0, 9)], merged([self.piece(5, 3, 2), self.piece(2, 0, 3), self.piece(7, 5, 4)]))

    def test_neighbours_on_one_side_only_stay_two(self):
        apart = [self.piece(0, 0, 3), self.piece(6, 3, 3)]
        self.assertEqual(apart, merged(apart))

    def test_the_same_copy_twice_is_one_piece(self):
        self.assertEqual([self.piece(0, 0, 3)], merged([self.piece(0, 0, 3)] * 2))

    def test_experts_with_another_number_of_axes_do_not_become_rows(self):
        pieces = [Piece(Rectangle((e, 0), (1, 4)), Rectangle((0, 4 * e), (1, 4))) for e in range(2)]
        # Side by side in the file, one above the other in memory: as one rectangle each, their order would differ.
        self.assertEqual(pieces, merged(pieces))

    def test_merging_keeps_every_cell_at_its_place(self):
        chance = random.Random(11)
        for _ in range(300):
            rows, width = chance.randint(2, 12), chance.randint(1, 4)
            cuts = sorted(chance.sample(range(1, rows), chance.randint(0, rows - 1)))
            pieces = []
            for first, last in zip([0, *cuts], [*cuts, rows]):
                rectangle = Rectangle((first, 0), (last - first, width))
                pieces.append(Piece(Rectangle((first + 5, 0), rectangle.length), rectangle))
            chance.shuffle(pieces)
            whole = Piece(Rectangle((5, 0), (rows, width)), Rectangle((0, 0), (rows, width)))
            self.assertEqual([whole], merged(pieces))


if __name__ == "__main__":
    unittest.main()
