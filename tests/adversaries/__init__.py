"""What somebody might send to hurt the house, and the limited process in which it is tried."""
