"""What MiniStack's Step Functions lack, one file a gap.

What a state machine does beside its states (Map and Parallel inside one execution, Wait, Choice, Pass, the service integrations) is
MiniStack's own.
"""
