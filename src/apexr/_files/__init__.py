"""Files and folders of this machine, and objects of a store elsewhere, behind one kind of place."""
