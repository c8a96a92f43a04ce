"""Files become a searchable generation: chunking, store, postings, segments, worker.

The store is the truth; everything else here is a view of it. This room knows no git, no editor
and no folder but the root it is handed.
"""
