"""What MiniStack lacks to stand in for AWS, one file a gap.

Each file replaces named parts of one MiniStack version when its `apply()` is called. None knows what runs on the stack.
"""
