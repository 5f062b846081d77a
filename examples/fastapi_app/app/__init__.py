"""A shop: FastAPI takes orders and shows them, Tasker's worker in the same process works on them."""
