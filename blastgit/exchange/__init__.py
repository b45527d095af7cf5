"""To and from what Blast itself keeps: existing transients become revision 0, and any revision goes back."""
