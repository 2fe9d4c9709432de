"""Bounding boxes: propose where objects may be, look closer, decide.

``proposals`` finds places in the whole picture's features. ``looks`` looks at each place again, in
ever tighter crops, and says which class it is and where its edges are. ``decision`` turns what is
left into a picture's boxes. ``learner`` puts them together.
"""
